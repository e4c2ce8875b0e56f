"""Colleagues who join, leave or take no part; whose switch, rules and audits count."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendars import gateway, rows, selectors, services
from calendars.models import Calendar, Event, Link, Operation
from calendars.sync import colleagues
from calendars.sync import lease as leases
from calendars.sync.decide import decide
from calendars.sync.run import serve
from calendars.sync.stamps import Stamps
from calendars.sync.tally import Tally
from calsync.engine import serial
from calsync.engine.policy import Policy
from calsync.providers.base import Window
from syncrules.services import Target, switch_off, switch_on
from tests.sync.company import BOTH_WAYS, WEEKLY, Company

QUERIES_OF_A_PLAIN_PAGE = 13  # whatever the number of events: colleagues cost none of them, the rules one a page


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
    target = Target.one_person(company.bo.user)
    switch_off(target=target, reason="audit week", by=None, now=timezone.now())
    company.invite()
    company.world.settle()
    assert company.titles() == []
    waiting = Operation.objects.get()
    assert "audit week" in waiting.reason
    switch_on(target=target, reason="over", by=None, now=timezone.now())
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


@BOTH_WAYS
def test_rules_of_either_side_may_forbid_copies_and_natives_are_matched_all_the_same(company, here, monkeypatch):
    for person in (company.ada.user, company.bo.user):
        forbidding = lambda owner, without=person: Policy(colleague_copies=owner != without)  # noqa: E731 - two words
        monkeypatch.setattr(colleagues, "policy_for", forbidding)
        company.invite(title=f"With {person.name}", by_mail=True)
        company.world.settle()
        assert company.titles() == []
    company.world.simulator.core.release_mails()
    company.world.settle()
    assert sorted(company.titles()) == ["With Ada", "With Bo"]
    assert set(Link.objects.values_list("role", flat=True)) == {"origin", "native"}
    company.assert_quiet()


@BOTH_WAYS
def test_a_mailbox_on_the_organisers_platform_takes_the_place_of_the_copy(company, here):
    company.world.open_mailbox(company.bo, here)
    company.world.simulator.core.switches.mail_arrives = True
    company.world.simulator.core.domains[company.bo.address] = {"outlook": "graph", "google": "google"}[here]
    company.invite()
    company.world.settle()
    assert company.link().role == "copy"
    company.world.map_mailbox(company.bo, here)
    company.world.activate()
    assert len(company.bo.outlook) == len(company.bo.google) == 1
    assert not Link.objects.filter(role="copy", event__deleted_at=None).exists()
    company.assert_quiet()


@BOTH_WAYS
def test_a_mailbox_on_the_organisers_platform_makes_a_native_copy_the_persons_own(company, here):
    company.world.simulator.core.switches.mail_arrives = True
    company.invite(by_mail=True)
    company.world.settle()
    assert company.link().role == "native"
    company.world.open_mailbox(company.bo, here)
    company.world.map_mailbox(company.bo, here)
    company.world.activate()
    assert len(company.bo.outlook) == len(company.bo.google) == 1
    assert Event.objects.filter(owner=company.bo.user, deleted_at=None).count() == 1
    company.assert_quiet()


@BOTH_WAYS
def test_from_now_leaves_older_meetings_of_colleagues_alone(world, here, soon):
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    world.simulator.core.switches.mail_arrives = False
    world.activate()
    bo = world.person("bo", outlook=here == "google", google=here == "outlook")
    company = Company(world, here, ada, bo)
    old = company.invite(title="Old")
    world.settle()
    world.activate(from_now=True)
    company.edit(old, title="Old, edited")
    company.invite(title="New")
    world.settle()
    assert company.titles() == ["New"]
    company.assert_quiet()


@pytest.mark.parametrize("here", ["outlook"])
def test_a_guest_of_one_occurrence_gets_no_copy_of_the_series(company, here):
    made = company.ada.in_outlook(subject="Weekly", recurrence=WEEKLY[here])
    one = company.ada.occurrence_in_outlook(made["id"], date(2026, 12, 8))
    company.edit(one, guests=[company.bo])
    company.world.settle()
    assert serial.load(Event.objects.get().content).guests[0].address == company.bo.address
    assert company.titles() == []
    company.assert_quiet()


def test_a_page_of_plain_events_costs_no_query_more(world, soon):
    ada = world.person("ada", google=False)
    world.person("bo", outlook=False)
    world.activate()
    for number in range(1, 8):
        ada.in_outlook(
            subject=f"Plain {number}", start=f"2026-12-0{number}T09:00:00", end=f"2026-12-0{number}T10:00:00"
        )
    calendar = selectors.with_owner(Calendar.objects.get(account__person=ada.user).pk)
    items = [item for page in pages(calendar) for item in page.items]
    lease = leases.take(calendar_id=calendar.pk, now=timezone.now())
    stamps = Stamps(noticed_at=None, pulled_at=timezone.now(), planned_at=timezone.now())
    with CaptureQueriesContext(connection) as asked:
        decide(lease=lease, calendar=calendar, items=items, stamps=stamps, tally=Tally())
    assert Event.objects.count() == 7
    assert len(asked) == QUERIES_OF_A_PLAIN_PAGE, [query["sql"] for query in asked]


def pages(calendar):
    """The calendar as it is read at first."""
    provider = gateway.provider_for(calendar.account)
    window = Window(timezone.now() - timedelta(days=30), timezone.now() + timedelta(days=400))
    return provider.changes(rows.mailbox_of(calendar), cursor="", window=window, known=lambda _: {})


TWICE_A_MONTH = ["RRULE:FREQ=MONTHLY;BYMONTHDAY=5,20;COUNT=6"]
"""A rule that Outlook has no form for."""


@pytest.mark.parametrize("here", ["google"])
def test_a_series_that_outlook_lacks_stands_at_the_guest_in_parts_and_goes_with_the_invitation(company, here):
    made = company.invite(title="Twice a month", recurrence=TWICE_A_MONTH)
    company.world.settle()
    assert set(company.titles()) == {"Twice a month"}
    assert len(company.titles()) > 1
    report = company.world.audit()
    assert (report.differences, report.match_rate) == ([], 100.0)
    company.assert_quiet()

    company.edit(made, title="Twice")
    company.world.settle()
    assert set(company.titles()) == {"Twice"}
    company.edit(made, guests=[])
    company.world.settle()
    assert company.titles() == []
    company.assert_quiet()


@pytest.mark.parametrize("here", ["google"])
def test_a_colleague_who_joins_later_gets_a_series_in_parts(world, here, soon):
    ada = world.person("ada", outlook=False)
    world.activate()
    bo = world.person("bo", google=False)
    company = Company(world, here, ada, bo)
    company.invite(title="Twice a month", recurrence=TWICE_A_MONTH)
    world.settle()
    world.activate()
    assert len(company.titles()) > 1
    company.assert_quiet()
