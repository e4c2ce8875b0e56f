"""Guests on the other platform: who is invited where, what joins a plan, what a native copy tells."""

from dataclasses import replace

import pytest

from calsync.engine.colleagues import Attendance, Seat, answered, invited, join, plan_native, same_meeting
from calsync.engine.events import Guest, Platform
from calsync.engine.plan import EventPlan, LinkState, Place, Role
from calsync.engine.travel import with_identity_of
from tests.engine.builders import (
    ALICE,
    BOB,
    COLLEAGUE,
    GOOGLE,
    GOOGLE_TRAITS,
    KEY,
    OUTLOOK,
    OUTLOOK_TRAITS,
    agreed,
    edit,
    hub_of,
    series,
    sighting,
    single,
    timed,
)  # fmt: skip

MEETING = single(guests=(ALICE, BOB), organizer="me@example.org", uid="u1")
AT_GOOGLE = Seat(7, COLLEAGUE, frozenset({ALICE.address}))
AT_OUTLOOK = Seat(7, Place(9, Platform.OUTLOOK, OUTLOOK_TRAITS), frozenset({ALICE.address}))
BOBS = Seat(8, Place(4, Platform.GOOGLE, GOOGLE_TRAITS), frozenset({BOB.address}))


def with_guest(**fields):
    return replace(MEETING, guests=(replace(ALICE, **fields),))


INVITED = [
    ("a guest on the other platform", MEETING, [AT_GOOGLE], [3]),
    ("two guests", MEETING, [BOBS, AT_GOOGLE], [3, 4]),
    ("somebody else", replace(MEETING, guests=(BOB,)), [AT_GOOGLE], []),
    ("a guest whom the own platform reaches", MEETING, [AT_GOOGLE, AT_OUTLOOK], []),
    ("a guest whose other mailbox is off", MEETING, [AT_GOOGLE, replace(AT_OUTLOOK, active=False)], [3]),
    ("a guest on the same platform only", MEETING, [AT_OUTLOOK], []),
    ("a room", with_guest(resource=True), [AT_GOOGLE], []),
    ("a guest of one occurrence", with_guest(partial=True), [AT_GOOGLE], []),
    ("a meeting of somebody else's", replace(MEETING, organizes=False), [AT_GOOGLE], []),
    (
        "two addresses of one guest",
        MEETING,
        [replace(AT_GOOGLE, addresses=frozenset({ALICE.address, BOB.address}))],
        [3],
    ),
]


@pytest.mark.parametrize(("event", "seats", "calendars"), [row[1:] for row in INVITED], ids=[row[0] for row in INVITED])
def test_who_gets_a_link(event, seats, calendars):
    found = invited(event, origin=Platform.OUTLOOK, seats=seats)
    assert [seat.place.calendar_id for seat in found] == calendars


def planned(event=MEETING):
    """The organiser's own plan: the event at its origin, nothing to write."""
    return EventPlan(event=event, links=(agreed(event or MEETING, OUTLOOK, Role.ORIGIN),) if event else ())


def joined(attendance, *, event=MEETING):
    return join(planned(event), attendance, key=KEY)


def outcome(result):
    """(roles by calendar, writes, retired calendars)."""
    links = {link.calendar_id: link.role.value for link in result.plan.links if link.calendar_id != 1}
    return (
        links,
        [(write.calendar_id, write.kind.value) for write in result.plan.writes],
        [link.calendar_id for link in result.retired],
    )


COPY, NATIVE = agreed(MEETING, COLLEAGUE, Role.COPY), agreed(MEETING, COLLEAGUE, Role.NATIVE)
UNREADABLE = replace(AT_GOOGLE, place=replace(COLLEAGUE, writable=False))
JOINED = [
    ("a new guest", Attendance((AT_GOOGLE,)), {3: "copy"}, [(3, "create")], []),
    ("not read yet", Attendance((UNREADABLE,)), {3: "copy"}, [], []),
    ("takes no part", Attendance((replace(AT_GOOGLE, active=False),)), {}, [], []),
    ("deleted it once", Attendance((AT_GOOGLE,), closed=frozenset({3})), {}, [], []),
    ("no rule allows it", Attendance((AT_GOOGLE,), uncopied=frozenset({3})), {}, [], []),
    ("a native is known", Attendance((AT_GOOGLE,), natives={3: NATIVE}), {3: "native"}, [], []),
    (
        "a native needs no rule",
        Attendance((AT_GOOGLE,), natives={3: NATIVE}, uncopied=frozenset({3})),
        {3: "native"},
        [],
        [],
    ),
    ("stands already", Attendance((AT_GOOGLE,), (COPY,)), {3: "copy"}, [], []),
    ("stays by a lapsed rule", Attendance((AT_GOOGLE,), (COPY,), uncopied=frozenset({3})), {3: "copy"}, [], []),
    ("invited no more", Attendance((), (COPY,)), {}, [], [3]),
    ("invited no more, native", Attendance((), (NATIVE,)), {3: "native"}, [], []),
]


@pytest.mark.parametrize(
    ("attendance", "links", "writes", "retired"), [row[1:] for row in JOINED], ids=[row[0] for row in JOINED]
)
def test_what_joins_a_plan(attendance, links, writes, retired):
    assert outcome(joined(attendance)) == (links, writes, retired)


def test_a_change_follows_to_the_copies_and_not_to_the_natives():
    present = (COPY, replace(NATIVE, place=BOBS.place))
    result = joined(Attendance((AT_GOOGLE, BOBS), present), event=edit(MEETING, title="New"))
    assert outcome(result) == ({3: "copy", 4: "native"}, [(3, "update")], [])


def test_a_deleted_meeting_takes_its_copies_along_and_leaves_the_natives():
    waiting = LinkState(Place(5, Platform.GOOGLE, GOOGLE_TRAITS), Role.COPY)
    present = (COPY, replace(NATIVE, place=BOBS.place), waiting)
    assert outcome(joined(Attendance(present=present), event=None)) == ({3: "copy"}, [(3, "delete")], [])


def test_a_copy_in_a_calendar_that_is_off_waits_for_its_deletion():
    off = replace(COPY, place=replace(COLLEAGUE, writable=False))
    assert outcome(joined(Attendance(present=(off,)), event=None)) == ({3: "copy"}, [], [])


NATIVES = replace(MEETING, organizes=False)
SAME = [
    ("by uid and organiser", MEETING, NATIVES, True),
    ("organised under another address of the owner's", replace(MEETING, organizer="me@other.example"), NATIVES, True),
    ("another organiser", MEETING, replace(NATIVES, organizer="boss@example.org"), False),
    ("another uid", MEETING, replace(NATIVES, uid="u2"), False),
    ("no uid", replace(MEETING, uid=""), replace(NATIVES, uid=""), False),
    ("one occurrence of a series", replace(series(uid="u1"), guests=(ALICE,)), NATIVES, False),
    ("organised in the guest's mailbox", MEETING, MEETING, False),
    ("moved meanwhile", MEETING, edit(NATIVES, when=timed(minutes=30)), True),
    ("both invited", NATIVES, NATIVES, True),
    ("both invited, to two occurrences", NATIVES, edit(NATIVES, when=timed(minutes=30)), False),
]


@pytest.mark.parametrize(("hub", "read", "same"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_what_is_the_same_meeting(hub, read, same):
    assert same_meeting(hub, read, organizers={"me@example.org"}) is same


def test_an_answer_is_taken_from_the_guests_own_mailbox_only():
    read = replace(NATIVES, guests=(replace(ALICE, response="accepted"), replace(BOB, response="declined")))
    event = answered(MEETING, read, addresses={ALICE.address})
    assert [guest.response for guest in event.guests] == ["accepted", "none"]
    assert answered(event, NATIVES, addresses={ALICE.address}) is event


def test_a_native_copy_tells_its_answer_and_nothing_else():
    hub = hub_of(MEETING, (OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN), (COLLEAGUE, Role.NATIVE))
    read = edit(replace(NATIVES, guests=(replace(ALICE, response="tentative"), BOB)), title="My own title")
    link = next(link for link in hub.links if link.calendar_id == 3)
    plan = plan_native(sighting(read), hub=hub, link=link, addresses={ALICE.address}, key=KEY)
    assert (plan.changed, plan.writes, plan.event.content.title) == (True, (), "Budget")
    assert plan.event.guests[0].response == "tentative"
    gone = plan_native(sighting(None), hub=hub, link=link, addresses=set(), key=KEY)
    assert (gone.changed, [link.calendar_id for link in gone.links]) == (False, [1, 2])


@pytest.mark.parametrize(("read", "response"), [("none", "accepted"), ("declined", "declined")])
def test_a_known_answer_is_not_thrown_away_for_none(read, response):
    known = replace(MEETING, guests=(Guest(ALICE.address, response="accepted"),))
    seen = replace(MEETING, guests=(Guest(ALICE.address, response=read),))
    assert with_identity_of(known, seen).guests[0].response == response


def test_answers_to_a_meeting_that_was_moved_are_void():
    known = replace(MEETING, guests=(Guest(ALICE.address, response="accepted"),))
    moved = edit(replace(MEETING, guests=(ALICE,)), when=timed(minutes=30))
    assert with_identity_of(known, moved).guests[0].response == "none"
