"""Colleagues on different platforms: a meeting reaches a guest once, natively or as a copy, and mails nobody."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from calendars import services
from calendars.models import Calendar, Event, Finding, Operation
from calendars.sync import push as pushing
from calendars.sync import store
from calsync.engine import serial
from conflicts.services import open_cases
from notifications.models import Message
from tests.sync.company import BOTH_WAYS, OTHER, WEEKLY
from tests.sync.series_hands import hands_of

SECOND = datetime.fromisoformat("2026-12-08T09:00")  # of the weekly meeting


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
    assert services.totals(Calendar.objects.all()).adopted == 0, "what an invitation made is nobody's pair"
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
    open_cases(now=timezone.now())
    [message] = Message.objects.all()
    assert message.person == company.bo.user
    assert "edited here (title). Only the organiser can change it: it is put back." in message.sentence


@BOTH_WAYS
@pytest.mark.parametrize("act", ["rename", "move", "cancel"])
def test_an_edit_of_one_occurrence_of_a_copy_is_put_back_and_the_next_change_reaches_it(company, here, act):
    made = company.invite(recurrence=WEEKLY[here])
    company.world.settle()
    hand = hands_of(company.bo)[OTHER[here]]
    before = hand.sees()
    if act == "rename":
        hand.rename(SECOND, "Hijacked")
    elif act == "move":
        hand.move(SECOND, SECOND.replace(hour=15))
    else:
        hand.cancel(SECOND)
    company.world.settle()
    assert hand.sees() == before
    finding = Finding.objects.get()
    assert (finding.kind, finding.person) == ("copy_edited", company.bo.user)
    company.edit(made, title="Review 2")
    company.world.settle()
    assert [title for _, _, title in hand.sees()] == ["Review 2"] * 5
    company.assert_quiet()


@BOTH_WAYS
@pytest.mark.parametrize("why", ["deleted", "uninvited", "native came"])
def test_an_edit_of_a_copy_that_is_taken_out_is_kept(company, here, why):
    made = company.invite(by_mail=why == "native came")
    company.world.settle()
    company.guest_edits("Minutes")
    if why == "deleted":
        company.delete(made)
    elif why == "uninvited":
        company.edit(made, guests=[])
    else:
        company.world.simulator.core.release_mails()
    company.turn(company.ada)  # before the guest's calendar is read
    company.world.settle()
    assert company.titles() == (["Review"] if why == "native came" else [])
    finding = Finding.objects.get()
    assert (finding.kind, finding.person) == ("copy_edited", company.bo.user)
    assert serial.load_value(finding.values["title"]) == "Minutes"
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
