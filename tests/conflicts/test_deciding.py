"""Deciding cases: who did and why is kept, what follows is said, and nobody sees more than their clearance covers."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from accounts.models import User
from accounts.models.people import Clearance
from calendars.choices import Decision
from calendars.models import Calendar, Event, Finding, Link, LinkState
from calsync.engine import serial
from calsync.engine.events import AllDay, Content
from calsync.engine.events import Event as HubEvent
from conflicts.models import Case
from conflicts.selectors import values_for
from conflicts.services import close_settled, decide_case, open_cases
from conflicts.tasks import close_settled as close_settled_task
from tests.factories import NOW, AccountFactory, UserFactory

LATER = NOW + timedelta(minutes=5)
SECRET = "Salary of Bo"
pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar():
    return Calendar.objects.create(account=AccountFactory(), is_active=True, imported_at=NOW)


@pytest.fixture
def admin_user():
    return User.objects.create_superuser("admin@example.org", "x", clearance=Clearance.RESTRICTED)


@pytest.fixture
def console(client, admin_user):
    client.force_login(admin_user)
    return client


def hub_event(calendar, *, number=1, state=LinkState.ACTIVE) -> Link:
    day = AllDay(NOW.date() + timedelta(days=number), NOW.date() + timedelta(days=number + 1))
    content = HubEvent(content=Content(when=day, title=f"Event {number}"))
    event = Event.objects.create(
        owner=calendar.account.person, starts_at=NOW, ends_at=NOW, show_as="busy", content=serial.dump(content)
    )
    return Link.objects.create(event=event, calendar=calendar, role="origin", remote_id=f"r{number}", state=state)


def both_edited(calendar) -> Case:
    link = hub_event(calendar, number=9)
    return case_of(calendar, kind="both_edited", event=link.event, link=link, values={"title": {"text": SECRET}})


def mass_delete(calendar) -> Case:
    links = [hub_event(calendar, number=number, state=LinkState.HELD) for number in range(1, 4)]
    listed = "\n".join(str(link.pk) for link in links)
    return case_of(calendar, kind="mass_delete", values={"links": {"text": listed}, "events": {"text": SECRET}})


def case_of(calendar, **fields) -> Case:
    found = Finding.objects.create(
        person=calendar.account.person, calendar=calendar, text="Something to decide.", created_at=NOW, **fields
    )
    open_cases(now=NOW)
    return Case.objects.get(finding=found)


def decide(case, decision, by, *, reason="agreed by phone", now=LATER) -> str:
    return decide_case(case=case, decision=decision, by=by, reason=reason, now=now)


# --- the service ----------------------------------------------------------------------------------------------


def test_a_decided_case_keeps_who_when_and_why_and_is_closed_when_nothing_is_left(calendar, admin_user):
    case = both_edited(calendar)
    told = decide(case, Decision.SWAP, admin_user)
    case.refresh_from_db()
    assert "other version is written" in told
    assert (case.state, case.decided_by, case.decided_at, case.reason) == (
        "closed",
        admin_user,
        LATER,
        "agreed by phone",
    )
    assert serial.load(Event.objects.get().content).content.title == SECRET


def test_deciding_rings_the_persons_calendars(calendar, admin_user):
    decide(both_edited(calendar), Decision.SWAP, admin_user)
    calendar.refresh_from_db()
    assert calendar.wanted == 1


def test_a_case_stays_decided_until_what_was_released_is_carried_out(calendar, admin_user):
    case = mass_delete(calendar)
    decide(case, Decision.RELEASE, admin_user)
    assert close_settled(now=LATER) == 0
    assert Case.objects.get().state == "decided"
    Link.objects.update(state=LinkState.GONE)
    assert close_settled(now=LATER) == 1
    assert Case.objects.get().closed_at == LATER


def test_a_case_whose_finding_settled_by_itself_is_closed(calendar):
    mass_delete(calendar)
    Link.objects.update(state=LinkState.ACTIVE)
    assert close_settled_task() == 1
    case = Case.objects.get()
    assert (case.state, case.decided_by) == ("closed", None)
    assert close_settled_task() == 0


def test_a_case_that_waits_is_not_closed(calendar):
    both_edited(calendar)
    mass_delete(calendar)
    assert close_settled(now=LATER) == 0


def test_the_first_decision_stands_when_two_people_click_at_once(calendar, admin_user):
    case = both_edited(calendar)
    decide(case, Decision.SWAP, admin_user, reason="first")
    assert decide(case, Decision.SWAP, UserFactory(), reason="second") == "That has been decided already."
    with pytest.raises(ValidationError):
        decide(case, Decision.ACCEPT, UserFactory(), reason="third")
    case.refresh_from_db()
    assert (case.decided_by, case.reason) == (admin_user, "first")


def test_a_decision_that_is_refused_leaves_the_case_open(calendar, admin_user):
    case = both_edited(calendar)
    Event.objects.update(deleted_at=NOW)
    with pytest.raises(ValidationError, match="deleted since"):
        decide(case, Decision.SWAP, admin_user)
    case.refresh_from_db()
    assert (case.state, case.reason) == ("open", "")


def test_a_decision_of_another_kind_of_case_is_refused(calendar, admin_user):
    with pytest.raises(ValidationError):
        decide(both_edited(calendar), Decision.PUT_BACK, admin_user)


# --- who sees what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clearance", [level for level in Clearance if level != Clearance.RESTRICTED])
def test_a_lower_clearance_sees_no_event_text(calendar, client, clearance):
    viewer = User.objects.create_superuser("low@example.org", "x", clearance=clearance)
    case = both_edited(calendar)
    client.force_login(viewer)
    page = client.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    assert SECRET not in page
    assert "restricted" in page
    assert list(values_for(viewer, case)) == []


def test_the_highest_clearance_sees_what_is_kept(console, calendar):
    case = both_edited(calendar)
    assert SECRET in console.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    held = mass_delete(calendar)
    page = console.get(reverse("admin:conflicts_case_change", args=[held.pk])).content.decode()
    assert SECRET in page


def test_whoever_is_unknown_or_deactivated_sees_nothing(calendar, admin_user):
    case = both_edited(calendar)
    admin_user.is_active = False
    assert not values_for(AnonymousUser(), case)
    assert not values_for(admin_user, case)


def test_a_list_of_cases_opens_nothing(console, calendar):
    both_edited(calendar)
    assert SECRET not in console.get(reverse("admin:conflicts_case_changelist")).content.decode()


# --- the console ----------------------------------------------------------------------------------------------


def decide_page(case, decision) -> str:
    return reverse("admin:conflicts_case_decide", args=[case.pk, decision])


def test_each_open_decision_has_a_button_and_a_sentence(console, calendar):
    case = mass_delete(calendar)
    page = console.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    for decision in ("release", "put_back", "accept"):
        assert decide_page(case, decision) in page
    assert "are deleted in the person&#x27;s other calendars" in page


def test_a_case_leads_to_its_event(console, calendar):
    case = both_edited(calendar)
    page = console.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    assert reverse("admin:calendars_event_change", args=[case.finding.event_id]) in page


def test_looking_at_the_page_of_a_decision_decides_nothing(console, calendar):
    case = mass_delete(calendar)
    assert "Carry out the deletions" in console.get(decide_page(case, "release")).content.decode()
    assert set(Link.objects.values_list("state", flat=True)) == {"held"}


def test_a_decision_needs_a_reason(console, calendar):
    case = mass_delete(calendar)
    assert console.post(decide_page(case, "release"), {"reason": ""}).status_code == 200
    assert Case.objects.get().state == "open"


def test_after_deciding_the_console_says_what_happens_next(console, calendar, admin_user):
    case = mass_delete(calendar)
    answer = console.post(decide_page(case, "release"), {"reason": "they left"}, follow=True)
    assert "3 events are looked up now" in answer.content.decode()
    assert set(Link.objects.values_list("state", flat=True)) == {"released"}
    case.refresh_from_db()
    assert (case.state, case.decided_by, case.reason) == ("decided", admin_user, "they left")


def test_a_refusal_is_told_in_the_console(console, calendar):
    case = both_edited(calendar)
    Event.objects.update(deleted_at=NOW)
    answer = console.post(decide_page(case, "swap"), {"reason": "x"}, follow=True)
    assert "The event has been deleted since." in answer.content.decode()


def test_a_decision_that_is_not_open_leads_back_to_the_case(console, calendar):
    case = both_edited(calendar)
    answer = console.post(decide_page(case, "put_back"), {"reason": "x"}, follow=True)
    assert "not to be decided any more" in answer.content.decode()
    assert console.get(reverse("admin:conflicts_case_decide", args=[case.pk + 99, "swap"])).status_code == 404


def test_whoever_may_only_look_finds_no_buttons_and_is_refused(client, calendar):
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_case"))
    client.force_login(viewer)
    case = mass_delete(calendar)
    assert (
        decide_page(case, "release")
        not in client.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    )
    assert client.post(decide_page(case, "release"), {"reason": "x"}).status_code == 403
    assert set(Link.objects.values_list("state", flat=True)) == {"held"}


def test_several_cases_are_decided_at_once_and_those_that_do_not_fit_are_left(console, calendar):
    held, edited = mass_delete(calendar), both_edited_elsewhere()
    chosen = {"action": "put_back_chosen", "_selected_action": [held.pk, edited.pk]}
    assert "case" in console.post(reverse("admin:conflicts_case_changelist"), chosen).content.decode()
    assert set(Link.objects.filter(calendar=calendar).values_list("state", flat=True)) == {"held"}
    answer = console.post(reverse("admin:conflicts_case_changelist"), {**chosen, "reason": "a mistake"}, follow=True)
    told = answer.content.decode()
    assert "3 events are made again" in told
    assert "1 case was decided; for 1 this is not open." in told
    assert set(Link.objects.filter(calendar=calendar).values_list("state", "remote_id")) == {("active", "")}
    edited.refresh_from_db()
    assert edited.state == "open"


def both_edited_elsewhere() -> Case:
    return both_edited(Calendar.objects.create(account=AccountFactory(), is_active=True, imported_at=NOW))


@pytest.mark.needs_postgresql  # SQLite has one writer at a time, and its test database does not even wait for it
@pytest.mark.django_db(transaction=True)
def test_several_who_click_at_once_swap_once(calendar):
    case = both_edited(calendar)
    people = [UserFactory() for _ in range(4)]
    start = threading.Barrier(len(people))
    told: list[str] = []

    def click(person):
        start.wait()
        told.append(decide(case, Decision.SWAP, person))
        connection.close()

    threads = [threading.Thread(target=click, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("other version" in words for words in told) == 1
    assert serial.load(Event.objects.get().content).content.title == SECRET
