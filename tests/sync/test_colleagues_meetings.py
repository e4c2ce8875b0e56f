"""Meetings with colleagues in depth: what guests do to their own copies, single occurrences, online links, answers."""

from datetime import date, datetime, timedelta

import pytest
import time_machine

from calendars.models import Event, Finding, Link
from calsync.engine import serial
from tests.sync.company import BOTH_WAYS, OTHER, WEEKLY
from tests.sync.conftest import NOW
from tests.sync.series_hands import hands_of
from tests.sync.test_horizon import settle_at

SECOND = datetime.fromisoformat("2026-12-08T09:00")  # of the weekly meeting
MEET = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}


@pytest.fixture
def invited(company):
    """The invitation reached the guest; from then on no mail arrives."""
    company.world.simulator.core.switches.mail_arrives = True
    company.meeting = company.invite(by_mail=True)
    company.world.settle()
    assert company.link().role == "native"
    company.world.simulator.core.switches.mail_arrives = False
    return company


# --- the guest's own copy, which the invitation made ----------------------------------------------------------


@BOTH_WAYS
def test_a_native_copy_that_its_guest_deleted_is_not_made_again(invited, here):
    invited.guest_deletes()
    invited.world.settle()
    invited.edit(invited.meeting, title="Review 2")
    invited.world.settle()
    assert invited.titles() == []
    assert sorted(Link.objects.values_list("role", "state")) == [("native", "gone"), ("origin", "active")]
    assert Event.objects.get().deleted_at is None
    assert not Finding.objects.exists()
    invited.assert_quiet()


@BOTH_WAYS
def test_what_a_guest_notes_in_the_own_native_copy_stays_there_and_travels_nowhere(invited, here):
    invited.guest_edits("My own title")
    invited.world.settle()
    assert invited.titles() == ["My own title"]
    assert serial.load(Event.objects.get().content).content.title == "Review"
    assert not Finding.objects.exists()
    invited.assert_quiet()


ANSWERS = {  # in the words of the guest's platform, by the organiser's
    "outlook": [("tentative", "tentative"), ("declined", "declined"), ("accepted", "accepted")],
    "google": [("tentativelyAccepted", "tentative"), ("accepted", "accepted")],  # Outlook takes a declined one away
}


@BOTH_WAYS
def test_the_last_answer_of_a_guest_counts(invited, here):
    for answer, known in ANSWERS[here]:
        [item] = invited.items_of(invited.bo)
        if here == "outlook":
            own = [{"email": invited.bo.address, "responseStatus": answer}]
            invited.bo.edit_google(item["id"], attendees=own)
        else:
            invited.world.simulator.graph.answer_event(invited.bo.address, item["id"], answer)
        invited.world.settle()
        assert [guest.response for guest in serial.load(Event.objects.get().content).guests] == [known]
    invited.assert_quiet()


# --- a copy of ours follows in every occurrence ---------------------------------------------------------------

DEEDS = {
    "renamed": lambda hand: hand.rename(SECOND, "Special"),
    "moved": lambda hand: hand.move(SECOND, SECOND.replace(hour=15)),
    "cancelled": lambda hand: hand.cancel(SECOND),
    "ended": lambda hand: hand.end_after(date(2026, 12, 16)),
    "all moved": lambda hand: hand.move_all(SECOND.replace(day=1, hour=14)),
}


@BOTH_WAYS
@pytest.mark.parametrize("deed", DEEDS)
def test_a_copy_follows_what_its_organiser_does_to_a_series(company, here, deed):
    company.invite(recurrence=WEEKLY[here])
    company.world.settle()
    organiser, guest = hands_of(company.ada)[here], hands_of(company.bo)[OTHER[here]]
    before = guest.sees()
    DEEDS[deed](organiser)
    company.world.settle()
    assert guest.sees() == organiser.sees() != before
    assert company.world.audit().match_rate == 100.0
    company.assert_quiet()


@pytest.mark.parametrize("here", ["google"])  # an Outlook client may ask everybody anew
def test_this_and_following_of_a_meeting_are_two_series_at_the_guest(company, here):
    company.invite(recurrence=WEEKLY[here])
    company.world.settle()
    organiser, guest = hands_of(company.ada)[here], hands_of(company.bo)[OTHER[here]]
    organiser.store.split_series(company.ada.address, organiser.series.id, SECOND.replace(day=15), summary="Later")
    company.world.settle()
    assert [title for _, _, title in guest.sees()] == ["Review", "Review", "Later", "Later", "Later"]
    company.assert_quiet()


@pytest.mark.parametrize("here", ["google"])  # Exchange refuses it
def test_an_occurrence_moved_over_its_neighbours_day_stands_once_at_the_guest(company, here):
    company.invite(recurrence=WEEKLY[here])
    company.world.settle()
    organiser, guest = hands_of(company.ada)[here], hands_of(company.bo)[OTHER[here]]
    organiser.move(SECOND, SECOND.replace(day=17, hour=15))
    company.world.settle()
    assert guest.sees() == organiser.sees()
    assert len(guest.sees()) == 5
    company.assert_quiet()


# --- online meetings ------------------------------------------------------------------------------------------


@BOTH_WAYS
def test_the_link_of_an_online_meeting_stands_once_as_text_in_the_guests_copy(company, here):
    if here == "outlook":
        company.invite(isOnlineMeeting=True, body={"contentType": "html", "content": "<p>Agenda</p>"})
        link = company.ada.outlook[0]["onlineMeeting"]["joinUrl"]
    else:
        company.invite(description="Agenda", conferenceData=MEET)
        link = company.ada.google[0]["hangoutLink"]
    company.world.settle()
    [copy] = company.items_of(company.bo)
    text = copy["description"] if here == "outlook" else copy["body"]["content"]
    assert text.count(link) == 1
    assert "Agenda" in text
    assert not copy.get("hangoutLink")
    assert not copy.get("isOnlineMeeting")
    company.assert_quiet()


# --- as time goes by ------------------------------------------------------------------------------------------


@BOTH_WAYS
def test_a_meeting_that_enters_the_window_reaches_its_guest(company, here):
    zone = "W. Europe Standard Time" if here == "outlook" else "Europe/Berlin"
    span = {name: {"dateTime": f"2028-01-10T{at}:00", "timeZone": zone} for name, at in TEN_TO_ELEVEN}
    made = company.invite()
    company.world.settle()
    company.guest_deletes()  # so that only the later one can stand there
    company.edit(made, title="Review, next year", **span)
    late = company.invite(title="Late")
    company.edit(late, **span)
    company.world.settle()
    assert company.titles() == []
    settle_at(company.world, NOW + timedelta(days=70))
    assert company.titles() == ["Late"]
    assert company.world.mails == []


TEN_TO_ELEVEN = (("start", "10:00"), ("end", "11:00"))


@pytest.mark.parametrize("here", ["google"])  # with the guest in Outlook, which lacks the rule
def test_a_guests_single_events_of_a_series_follow_the_window_and_go_with_the_invitation(company, here):
    made = company.invite(recurrence=["RRULE:FREQ=MONTHLY;BYDAY=5FR"])
    company.world.settle()
    first = {event["id"] for event in company.bo.outlook}
    for month in range(1, 12):
        settle_at(company.world, NOW + timedelta(days=31 * month))
    standing = {event["id"] for event in company.bo.outlook}
    assert first < standing
    assert len(standing) > len(first) + 2
    with time_machine.travel(NOW + timedelta(days=31 * 12), tick=True):
        company.edit(made, title="Review 2")
        company.world.settle()
        assert set(company.titles()) == {"Review 2"}
        company.edit(made, guests=[])
        company.world.settle()
        assert company.titles() == []
    assert company.world.mails == []
