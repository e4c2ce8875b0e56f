"""Random edits on both sides, on honest and on lossy platforms: the sides agree in the end, nothing is lost unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.engine.compare import differences
from calsync.engine.events import Event, Field, Sensitivity, ShowAs, Timed
from calsync.engine.fingerprint import changed, field_of_path, flatten, key_of_path, texts
from calsync.engine.inherit import without_redundant
from calsync.engine.plan import ConflictPolicy, DeletePolicy, Policy, Role
from calsync.engine.recurrence import apply_override
from calsync.engine.transform import project
from calsync.engine.wanted import as_read
from tests.engine.builders import ALICE, BOB, GOOGLE, OUTLOOK, occurrence, series, single, timed, weekly
from tests.engine.pretend import Mailbox, World, lossy, perfect

TITLES = st.sampled_from(["Budget", "Budget v2", "A very long title that no lossy platform keeps", ""])
BODIES = st.sampled_from(["", "one  two", "line\n\nline", "other"])
PLACES = st.sampled_from(["", "Room 1", "Room 2"])
WEEKS = st.integers(0, 4)
HOURS = st.sampled_from([9, 10, 14])


def _field(name: str, value: object):
    return lambda event: replace(event, content=replace(event.content, **{name: value}))


def _move(hour: int):
    def change(event: Event) -> Event:
        when = event.content.when
        start = when.start.replace(hour=hour)
        return replace(
            event, content=replace(event.content, when=replace(when, start=start, end=start + (when.end - when.start)))
        )

    return change


def _only_series(change):
    return lambda event: without_redundant(change(event)) if event.is_series else event


def _key(event: Event, week: int) -> str:
    start = event.content.when.start + timedelta(weeks=week)
    return start.isoformat(timespec="minutes")


def _except(week: int, name: Field, value: object):
    def change(event: Event) -> Event:
        key = _key(event, week)
        override = {**event.exceptions.get(key, {}), name: value}
        return replace(event, exceptions={**event.exceptions, key: override}, cancelled=event.cancelled - {key})

    return _only_series(change)


def _cancel(week: int):
    return _only_series(lambda event: replace(event, cancelled=event.cancelled | {_key(event, week)}))


def _restore(week: int):
    def change(event: Event) -> Event:
        key = _key(event, week)
        exceptions = {other: override for other, override in event.exceptions.items() if other != key}
        return replace(event, cancelled=event.cancelled - {key}, exceptions=exceptions)

    return _only_series(change)


TEXT_EDITS = st.one_of(
    TITLES.map(lambda value: _field("title", value)),
    BODIES.map(lambda value: _field("body", value)),
    PLACES.map(lambda value: _field("location", value)),
    st.sampled_from([ShowAs.FREE, ShowAs.BUSY]).map(lambda value: _field("show_as", value)),
    st.sampled_from([Sensitivity.NORMAL, Sensitivity.PRIVATE]).map(lambda value: _field("sensitivity", value)),
)
OCCURRENCE_EDITS = st.one_of(
    st.builds(_except, WEEKS, st.just(Field.TITLE), TITLES),
    st.builds(_except, WEEKS, st.just(Field.BODY), BODIES),
    st.builds(_except, WEEKS, st.just(Field.WHEN), st.sampled_from([timed(minutes=30), timed(minutes=90)])),
    st.builds(_cancel, WEEKS),
    st.builds(_restore, WEEKS),
)
SHAPE_EDITS = st.one_of(
    HOURS.map(_move),
    st.sampled_from([weekly(count=10), weekly(count=4), weekly(interval=2), weekly(until=date(2026, 12, 1))]).map(
        lambda rule: _only_series(lambda event: replace(event, recurrence=rule))
    ),
)
EDITS = st.one_of(TEXT_EDITS, OCCURRENCE_EDITS)
ANY_EDIT = st.one_of(TEXT_EDITS, OCCURRENCE_EDITS, SHAPE_EDITS)
ECHOES = st.sampled_from([perfect, lossy])
EVENTS = st.sampled_from(
    [
        single(when=timed(zone="Europe/Rome"), show_as=ShowAs.TENTATIVE, sensitivity=Sensitivity.CONFIDENTIAL),
        series(when=timed(zone="Europe/Rome"), body="agenda  with  gaps", location="Room 9"),
        replace(
            series(show_as=ShowAs.OUT_OF_OFFICE),
            exceptions={occurrence(1): {Field.TITLE: "moved"}, occurrence(2): {Field.SHOW_AS: ShowAs.BUSY}},
            cancelled=frozenset({occurrence(3)}),
        ),
    ]
)
# Levels that Google lacks are left out where losses are counted: tentative and busy are one there, so a change from one
# to the other is not seen as standing against an edit made in Google.
PLAIN_EVENTS = st.sampled_from(
    [
        single(when=timed(zone="Europe/Rome")),
        series(when=timed(zone="Europe/Rome"), body="agenda  with  gaps", location="Room 9"),
        replace(
            series(),
            exceptions={occurrence(1): {Field.TITLE: "moved"}, occurrence(2): {Field.SHOW_AS: ShowAs.FREE}},
            cancelled=frozenset({occurrence(3)}),
        ),
    ]
)
POLICIES = st.builds(Policy, st.sampled_from(ConflictPolicy), st.sampled_from(DeletePolicy))
SIDES = st.sampled_from([1, 2])
STEPS = st.one_of(
    st.tuples(st.just("edit"), SIDES, ANY_EDIT),
    st.tuples(st.just("pull"), SIDES, st.none()),
    st.tuples(st.just("push"), SIDES, st.none()),
)


INVITES = st.sampled_from([(ALICE,), (ALICE, BOB), ()]).map(lambda guests: lambda event: replace(event, guests=guests))
PINS = st.sampled_from([frozenset(), frozenset({Field.BODY})]).map(
    lambda pins: lambda event: replace(event, pinned=pins)
)
MEETING_STEPS = st.one_of(
    STEPS,
    st.tuples(st.just("edit"), SIDES, INVITES),
    st.tuples(st.just("edit"), SIDES, PINS),
    st.tuples(st.just("delete"), SIDES, st.none()),
)


def _world(event: Event, *, left, right, policy: Policy, origin: int = 1) -> World:
    world = World(Mailbox(OUTLOOK, left), Mailbox(GOOGLE, right), policy=policy)
    world.born(event, at=origin)
    world.settle_down()
    return world


def _check_agreement(world: World) -> None:
    for link in world.hub.links:
        if link.role is Role.NATIVE:
            continue
        mailbox = world.mailboxes[link.calendar_id]
        shown = mailbox.echo(project(world.hub.event, traits=link.place.traits, role=link.role))
        assert differences(as_read(shown, link.role), as_read(mailbox.event, link.role)) == frozenset()


@given(event=EVENTS, left=ECHOES, right=ECHOES, policy=POLICIES, origin=SIDES, steps=st.lists(STEPS, max_size=14))
@settings(max_examples=80, deadline=None)
def test_whatever_is_edited_wherever_both_sides_agree_in_the_end_and_nothing_is_left_to_do(
    event, left, right, policy, origin, steps
):
    world = _world(event, left=left, right=right, policy=policy, origin=origin)
    for verb, side, change in steps:
        if verb == "edit":
            world.edit(side, change)
        else:
            getattr(world, verb)(side)
    world.settle_down()
    _check_agreement(world)
    before, found = world.hub, len(world.findings)
    assert world.settle_down() == 0
    assert world.hub == before
    assert len(world.findings) == found
    assert [mailbox.writes.count("create") for mailbox in world.mailboxes.values()].count(1) == 1


def _net_changes(now: Event, then: Event) -> dict[str, object]:
    flat = flatten(now)
    return {path: flat.get(path) for path in changed(texts(now), texts(then))}


def _accounted(world: World) -> list[tuple[str, str]]:
    """Every value that is in the end somewhere: in the hub, in a mailbox (which may hold less of a long title than the
    hub, if that is all of it that was typed there), or among the losing values of a finding.
    """
    shown = [as_read(mailbox.event, Role.TWIN) for mailbox in world.mailboxes.values()]
    values = [pair for event in (world.hub.event, *shown) for pair in _held_by(event)]
    values += [pair for finding in world.findings for pair in finding.values.items()]
    return [(path, _told(value)) for path, value in values]


def _held_by(event: Event) -> list[tuple[str, object]]:
    values = [*flatten(event).items()]
    for key in (_key(event, week) for week in range(5)):
        if event.is_series and key not in event.cancelled:
            own = apply_override(event.content, key, event.exceptions.get(key, {}))
            values += [(f"@{key}/{name}", getattr(own, name)) for name in ("title", "body", "when")]
    return values


def _told(value: object) -> str:
    if isinstance(value, Timed):
        return f"{value.start} {value.end}"
    return repr(value)


@given(
    event=PLAIN_EVENTS,
    left=ECHOES,
    right=ECHOES,
    policy=POLICIES,
    here=st.lists(EDITS, max_size=4),
    there=st.lists(EDITS, max_size=4),
)
@settings(max_examples=50, deadline=None)
def test_of_two_edits_at_once_none_is_lost_without_a_finding(event, left, right, policy, here, there):
    world = _world(event, left=left, right=right, policy=policy)
    before = {side: as_read(mailbox.event, Role.TWIN) for side, mailbox in world.mailboxes.items()}
    for side, edits in ((1, here), (2, there)):
        for change in edits:
            world.edit(side, change)
    made = {side: _net_changes(mailbox.event, before[side]) for side, mailbox in world.mailboxes.items()}
    world.settle_down()
    accounted = _accounted(world)
    final = flatten(world.hub.event)
    for path, value in [*made[1].items(), *made[2].items()]:
        if value is None:
            gone = path not in final or any(path in finding.paths for finding in world.findings)
            assert gone or any(f"@{key_of_path(path)}" == told for told, _ in accounted), path
        else:
            assert (path, _told(value)) in accounted, path


@given(
    event=PLAIN_EVENTS,
    policy=POLICIES,
    here=st.lists(ANY_EDIT, min_size=1, max_size=3),
    there=st.lists(ANY_EDIT, min_size=1, max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_edits_against_a_moved_series_survive_or_are_told(event, policy, here, there):
    world = _world(event, left=perfect, right=perfect, policy=policy)
    before = {side: mailbox.event for side, mailbox in world.mailboxes.items()}
    for side, edits in ((1, here), (2, there)):
        for change in edits:
            world.edit(side, change)
    made = {side: _net_changes(mailbox.event, before[side]) for side, mailbox in world.mailboxes.items()}
    world.settle_down()
    accounted = {(field_of_path(path), value) for path, value in _accounted(world)}
    for path, value in [*made[1].items(), *made[2].items()]:
        if value is not None:
            assert (field_of_path(path), _told(value)) in accounted, path


@given(event=EVENTS, origin=SIDES, policy=POLICIES, steps=st.lists(MEETING_STEPS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_is_invited_pinned_or_deleted_nobody_gets_mail_and_no_copy_is_doubled(event, origin, policy, steps):
    world = _world(event, left=perfect, right=perfect, policy=policy, origin=origin)
    for verb, side, change in steps:
        if verb == "edit":
            world.edit(side, change)
        else:
            getattr(world, verb)(side)
    world.settle_down()
    if world.hub is not None:
        _check_agreement(world)
        assert world.settle_down() == 0
