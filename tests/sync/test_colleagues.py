"""Colleagues on different platforms: a meeting reaches a guest once, natively or as a copy, and mails nobody."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.utils import timezone

from calendars import services
from calendars.models import Calendar, Event, Finding, Link, Operation
from calendars.sync import push as pushing
from calendars.sync import store
from calendars.sync.run import serve
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.engine import serial
from tests.sync.conftest import Person

BOTH_WAYS = pytest.mark.parametrize("here", ["outlook", "google"])
"""Where the organiser's mailbox is; the guest's is on the other platform."""

OUTLOOK_WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
}
WEEKLY = {"outlook": OUTLOOK_WEEKLY, "google": ["RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=TU"]}
OTHER = {"outlook": "google", "google": "outlook"}
TITLE = {"outlook": "subject", "google": "summary"}


@dataclass
class Company:
    """Ada organises on one platform, Bo is her guest on the other."""

    world: object
    here: str
    ada: Person
    bo: Person

    def invite(self, *guests, title="Review", by_mail=False, **more) -> str:
        """A meeting of Ada's; returns its id."""
        people = guests or (self.bo,)
        body = {TITLE[self.here]: title, "attendees": [attendee(self.here, one) for one in people], **more}
        if self.here == "outlook":
            return self.ada.in_outlook(**body)["id"]
        body.setdefault("summary", title)
        sent = {"send_updates": "all" if by_mail else "none"}
        start, end = "2026-12-01T09:00:00", "2026-12-01T09:30:00"
        span = {
            "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
            "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
        }
        return self.world.simulator.google.create_event(self.ada.address, {**span, **body}, **sent)["id"]

    def edit(self, event_id, title="", guests=None, **more) -> None:
        body = {**({TITLE[self.here]: title} if title else {}), **more}
        if guests is not None:
            body["attendees"] = [attendee(self.here, one) for one in guests]
        edit = self.ada.edit_outlook if self.here == "outlook" else self.ada.edit_google
        edit(event_id, **body)

    def delete(self, event_id) -> None:
        (self.ada.delete_outlook if self.here == "outlook" else self.ada.delete_google)(event_id)

    def items_of(self, person) -> list[dict]:
        return person.google if self.here == "outlook" else person.outlook

    def titles(self, person=None) -> list[str]:
        return [item[TITLE[OTHER[self.here]]] for item in self.items_of(person or self.bo)]

    def guest_edits(self, title) -> None:
        [item] = self.items_of(self.bo)
        if self.here == "outlook":
            self.bo.edit_google(item["id"], summary=title)
        else:
            self.bo.edit_outlook(item["id"], subject=title)

    def guest_deletes(self) -> None:
        [item] = self.items_of(self.bo)
        (self.bo.delete_google if self.here == "outlook" else self.bo.delete_outlook)(item["id"])

    def guest_answers(self) -> None:
        [item] = self.items_of(self.bo)
        if self.here == "outlook":
            google = self.world.simulator.google
            own = [{"email": self.bo.address, "responseStatus": "accepted"}]
            google.patch_event(self.bo.address, item["id"], {"attendees": own}, send_updates="none")
        else:
            self.world.simulator.graph.answer_event(self.bo.address, item["id"], "accepted")

    def calendar(self, person) -> Calendar:
        return Calendar.objects.select_related("account__person").get(account__person=person.user)

    def turn(self, person, *, ring=True) -> None:
        """One worker's turn on somebody's calendar."""
        calendar = self.calendar(person)
        if ring:
            Calendar.objects.filter(pk=calendar.pk).ring(now=timezone.now())
        take_turn(calendar_id=calendar.pk, clock=timezone.now, tally=Tally())

    def link(self, person=None) -> Link:
        return Link.objects.get(calendar=self.calendar(person or self.bo), event__deleted_at=None)

    def assert_quiet(self) -> None:
        """Nothing is left to do, and nobody was mailed."""
        self.world.simulator.core.ledger.clear()
        report = self.world.settle()
        assert report.idle
        assert self.world.provider_writes() == 0
        assert self.world.mails == []


def attendee(platform, person) -> dict:
    if platform == "outlook":
        return {"emailAddress": {"address": person.address}, "type": "required"}
    return {"email": person.address}


@pytest.fixture
def soon(monkeypatch):
    """Copies wait only for a moment for the invitation."""
    monkeypatch.setattr(store, "NATIVE_GRACE", timedelta(seconds=1))


@pytest.fixture
def company(world, here, soon):
    """Both are active; meeting mails do not arrive until a test lets them."""
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    bo = world.person("bo", outlook=here == "google", google=here == "outlook")
    world.activate()
    world.simulator.core.switches.mail_arrives = False
    return Company(world, here, ada, bo)


@BOTH_WAYS
def test_a_guest_whom_no_invitation_reaches_gets_a_copy_that_follows(company, here):
    made = company.invite(title="Review")
    company.world.settle()
    assert company.titles() == ["Review"]
    [copy] = company.items_of(company.bo)
    assert not copy.get("attendees")
    assert company.link().role == "copy"
    assert company.link().event.owner == company.ada.user
    company.assert_quiet()

    company.edit(made, title="Review 2")
    company.world.settle()
    assert company.titles() == ["Review 2"]
    company.assert_quiet()

    company.delete(made)
    company.world.settle()
    assert company.titles() == []
    company.assert_quiet()


@BOTH_WAYS
def test_a_copy_waits_for_the_invitation(company, here, monkeypatch):
    monkeypatch.setattr(store, "NATIVE_GRACE", timedelta(seconds=20))
    company.invite()
    company.turn(company.ada)
    operation = Operation.objects.get()
    assert operation.due_at - operation.planned_at == timedelta(seconds=20)
    assert operation.calendar == company.calendar(company.bo)


@BOTH_WAYS
@pytest.mark.parametrize("first", ["ada", "bo"])
def test_a_native_copy_is_matched_whoever_is_read_first(company, here, first):
    company.world.simulator.core.switches.mail_arrives = True
    company.invite(by_mail=True)
    order = [company.ada, company.bo] if first == "ada" else [company.bo, company.ada]
    for person in order:
        company.turn(person)
    company.world.settle()
    assert company.titles() == ["Review"]
    assert company.link().role == "native"
    assert Event.objects.count() == 1
    assert company.link().event.owner == company.ada.user
    company.assert_quiet()


@BOTH_WAYS
def test_a_native_copy_that_comes_after_ours_takes_its_place(company, here):
    made = company.invite(by_mail=True)
    company.world.settle()
    ours = company.link().remote_id
    assert company.link().role == "copy"
    company.world.simulator.core.release_mails()
    company.world.settle()
    assert company.titles() == ["Review"]
    assert company.link().role == "native"
    assert company.link().remote_id != ours
    assert not Finding.objects.exists()
    company.assert_quiet()

    company.delete(made)
    company.world.settle()
    assert Event.objects.filter(owner=company.ada.user, deleted_at=None, whole=None).count() == 0
    company.assert_quiet()


@BOTH_WAYS
@pytest.mark.parametrize("crash", [False, True], ids=["copy made", "copy made, not recorded"])
def test_a_native_copy_that_comes_while_ours_is_being_made_leaves_one(company, here, crash, monkeypatch):
    company.invite(by_mail=True)
    company.turn(company.ada)
    Operation.objects.update(due_at=timezone.now(), planned_at=timezone.now())
    apply = pushing._apply

    def apply_while_the_mail_comes(*arguments):
        outcomes = apply(*arguments)
        company.world.simulator.core.release_mails()
        if crash:
            raise KeyboardInterrupt
        return outcomes

    with monkeypatch.context() as patched:
        patched.setattr(pushing, "_apply", apply_while_the_mail_comes)
        if crash:
            with pytest.raises(KeyboardInterrupt):
                company.turn(company.bo, ring=False)
        else:
            company.turn(company.bo, ring=False)
    assert len(company.items_of(company.bo)) == 2
    if crash:  # and nobody tries the broken-off write again before the calendar is read
        Operation.objects.update(state="planned", half_done=False, due_at=timezone.now() + timedelta(seconds=3))
    company.world.settle()
    assert company.titles() == ["Review"]
    assert company.link().role == "native"
    company.assert_quiet()


@BOTH_WAYS
def test_a_guest_invited_later_gets_a_copy_and_an_uninvited_one_loses_it(company, here):
    cem = company.world.person("cem", outlook=here == "google", google=here == "outlook")
    company.world.activate()
    made = company.invite(company.bo)
    company.world.settle()
    assert (company.titles(company.bo), company.titles(cem)) == (["Review"], [])
    company.edit(made, guests=[company.bo, cem])
    company.world.settle()
    assert (company.titles(company.bo), company.titles(cem)) == (["Review"], ["Review"])
    company.edit(made, guests=[cem])
    company.world.settle()
    assert (company.titles(company.bo), company.titles(cem)) == ([], ["Review"])
    company.edit(made, guests=[company.bo, cem])
    company.world.settle()
    assert company.titles(company.bo) == ["Review"]
    company.assert_quiet()


@BOTH_WAYS
def test_a_meeting_that_loses_all_its_guests_leaves_no_copy(company, here):
    made = company.invite()
    company.world.settle()
    company.edit(made, guests=[])
    company.world.settle()
    assert company.titles() == []
    company.assert_quiet()


@BOTH_WAYS
def test_an_edit_of_a_copy_is_put_back_and_its_person_is_told(company, here):
    company.invite()
    company.world.settle()
    company.guest_edits("Hijacked")
    company.world.settle()
    assert company.titles() == ["Review"]
    finding = Finding.objects.get()
    assert (finding.kind, finding.person) == ("copy_edited", company.bo.user)
    company.assert_quiet()


@BOTH_WAYS
def test_a_copy_deleted_by_its_guest_is_hidden_there_for_good(company, here):
    made = company.invite()
    company.world.settle()
    company.guest_deletes()
    company.world.settle()
    company.edit(made, title="Review 2")
    company.world.settle()
    assert company.titles() == []
    assert not Finding.objects.exists()
    assert Event.objects.get().deleted_at is None
    company.assert_quiet()


@BOTH_WAYS
def test_an_answer_in_the_guests_mailbox_appears_on_the_event(company, here):
    company.world.simulator.core.switches.mail_arrives = True
    made = company.invite(by_mail=True)
    company.world.settle()
    company.world.simulator.core.switches.mail_arrives = False  # the answer does not reach the organiser
    company.guest_answers()
    company.world.settle()

    def responses():
        return [guest.response for guest in serial.load(Event.objects.get().content).guests]

    assert responses() == ["accepted"]
    company.edit(made, title="Review 2")
    company.world.settle()
    assert responses() == ["accepted"]
    company.assert_quiet()


@BOTH_WAYS
def test_a_series_with_guests_is_copied_whole(company, here):
    weekly = {"recurrence": WEEKLY[here]}
    made = company.invite(**weekly)
    company.world.settle()
    [copy] = company.items_of(company.bo)
    assert copy["recurrence"]
    day = date(2026, 12, 8)
    if here == "outlook":
        company.ada.delete_outlook(company.ada.occurrence_in_outlook(made, day))
    else:
        company.ada.delete_google(f"{made}_20261208T080000Z")
    company.world.settle()
    assert serial.load(Event.objects.get().content).cancelled
    assert company.world.audit().match_rate == 100.0
    company.assert_quiet()


@BOTH_WAYS
def test_a_colleague_who_is_activated_later_gets_the_standing_meetings(world, here, soon):
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    world.simulator.core.switches.mail_arrives = False
    bo = world.person("bo", outlook=here == "google", google=here == "outlook")
    company = Company(world, here, ada, bo)
    services.activate(calendars=Calendar.objects.filter(account__person=ada.user), from_now=False, now=timezone.now())
    company.invite()
    world.settle()
    assert Link.objects.count() == 1
    world.activate()
    assert company.titles() == ["Review"]
    company.assert_quiet()


@BOTH_WAYS
def test_people_activated_together_meet_their_standing_meetings(world, here, soon):
    bo = world.person("bo", outlook=here == "google", google=here == "outlook")
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    cem = world.person("cem", outlook=here == "google", google=here == "outlook")
    world.simulator.core.switches.mail_arrives = False
    company = Company(world, here, ada, bo)
    company.invite(bo, cem)
    world.activate()
    assert company.titles(bo) == company.titles(cem) == ["Review"]
    company.assert_quiet()


@BOTH_WAYS
@pytest.mark.parametrize("why", ["calendar off", "person gone"])
def test_nothing_is_planned_for_who_takes_no_part(company, here, why):
    if why == "calendar off":
        services.deactivate(
            calendars=Calendar.objects.filter(account__person=company.bo.user), now=timezone.now(), reason="left"
        )
    else:
        company.bo.user.is_active = False
        company.bo.user.save()
    company.invite()
    company.world.settle()
    assert Link.objects.count() == 1
    assert company.titles() == []
    assert not Operation.objects.exists()


@BOTH_WAYS
def test_a_copy_catches_up_when_its_calendar_is_on_again(company, here):
    made = company.invite()
    doomed = company.invite(title="Doomed")
    company.world.settle()
    services.deactivate(
        calendars=Calendar.objects.filter(account__person=company.bo.user), now=timezone.now(), reason="leave"
    )
    company.edit(made, title="Review 2")
    company.delete(doomed)
    company.world.settle()
    assert not Operation.objects.open().exists()
    company.world.activate()
    assert company.titles() == ["Review 2"]
    company.assert_quiet()


@BOTH_WAYS
def test_a_guest_with_a_mailbox_on_the_organisers_platform_gets_no_copy(world, here, soon):
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    dua = world.person("dua")
    world.activate()
    company = Company(world, here, ada, dua)
    company.invite(dua, by_mail=False)
    world.settle()
    assert not Link.objects.filter(role="copy").exists()
    assert len(dua.outlook) == len(dua.google) == 1
    company.assert_quiet()


@BOTH_WAYS
def test_nobody_but_a_guest_gets_a_copy(company, here):
    eve = company.world.person("eve", outlook=here == "google", google=here == "outlook")
    company.world.activate()
    company.invite(**({"sensitivity": "private"} if here == "outlook" else {"visibility": "private"}))
    company.world.settle()
    assert company.titles(eve) == []
    [copy] = company.items_of(company.bo)
    assert copy.get("visibility", copy.get("sensitivity")) == "private"
    company.assert_quiet()


@BOTH_WAYS
def test_the_guests_switch_keeps_the_copy_back(company, here):
    from_switches = pytest.importorskip("syncrules.services")
    target = from_switches.Target.one_person(company.bo.user)
    from_switches.switch_off(target=target, reason="audit week", by=None, now=timezone.now())
    company.invite()
    company.world.settle()
    assert company.titles() == []
    waiting = Operation.objects.get()
    assert "audit week" in waiting.reason
    from_switches.switch_on(target=target, reason="over", by=None, now=timezone.now())
    later = waiting.due_at + timedelta(seconds=1)
    assert serve(calendars=Calendar.objects.all(), clock=lambda: later, until_idle=True).idle
    assert company.titles() == ["Review"]
    assert company.world.mails == []


@BOTH_WAYS
def test_an_audit_counts_copies_and_a_repair_makes_a_lost_one_anew(company, here):
    company.invite()
    company.world.settle()
    report = company.world.audit()
    assert (report.matched, report.differences) == (1, [])
    company.guest_deletes()
    report = company.world.audit()
    assert [difference.kind for difference in report.differences] == ["missing"]
    services.repair_differences(calendars=Calendar.objects.all(), report=report, clock=timezone.now)
    assert company.titles() == ["Review"]
    assert company.world.audit().match_rate == 100.0

    company.guest_edits("Drifted")
    assert [difference.kind for difference in company.world.audit().differences] == ["drifted"]
    assert company.world.mails == []
