"""Switches: sync held back for everybody, a platform, a unit or a person, always with a reason."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Clearance, PeopleGroup, User
from accounts.services.units import ensure_units
from calsync.engine.events import Platform
from calsync.engine.policy import ConflictPolicy, DeletePolicy
from notifications.models import Message
from syncrules.compile import policy_for
from syncrules.models import Scope, Switch
from syncrules.selectors import Door, door_for, doors_for
from syncrules.services import Target, switch_off, switch_on
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
OPEN = Door(open=True)


@pytest.fixture
def units():
    return ensure_units(["/Sales/EMEA", "/SalesSupport", "/Legal"])[0]


@pytest.fixture
def ada(units):
    return UserFactory(email="ada@example.org", org_unit=units["/Sales/EMEA"])


@pytest.fixture
def cem(units):
    return UserFactory(email="cem@example.org", org_unit=units["/Legal"])


def off(target, reason="migration", now=NOW):
    return switch_off(target=target, reason=reason, by=None, now=now)


def on(target, reason="done", now=LATER):
    return switch_on(target=target, reason=reason, by=None, now=now)


def test_without_switches_every_door_is_open(ada):
    assert door_for(ada.pk, now=NOW) == OPEN


def test_everybody_is_held_back_with_the_reason(ada):
    off(Target.everybody())
    assert door_for(ada.pk, now=NOW) == Door(
        open=False, why="Sync is off for everybody since 2026-11-22 09:00 UTC: migration"
    )


def test_one_person_is_held_back_and_others_are_not(ada, cem):
    off(Target.one_person(ada))
    assert not door_for(ada.pk, now=NOW).open
    assert door_for(cem.pk, now=NOW) == OPEN


def test_a_unit_holds_back_those_below_and_not_those_of_a_longer_name(ada, cem, units):
    support = UserFactory(org_unit=units["/SalesSupport"])
    homeless = UserFactory(org_unit=None)
    off(Target.unit(units["/Sales"]))
    doors = doors_for([ada.pk, cem.pk, support.pk, homeless.pk], now=NOW)
    assert doors[ada.pk].why.startswith("Sync is off for /Sales since")
    assert [doors[person.pk] for person in (cem, support, homeless)] == [OPEN, OPEN, OPEN]


def test_a_platform_is_held_back_for_its_own_calendars_only(ada):
    off(Target.whole_platform(Platform.GOOGLE))
    assert not door_for(ada.pk, now=NOW, platform=Platform.GOOGLE).open
    assert door_for(ada.pk, now=NOW, platform=Platform.OUTLOOK) == OPEN
    assert door_for(ada.pk, now=NOW) == OPEN


def test_switching_on_opens_the_door_as_far_as_nothing_else_holds_it(ada):
    off(Target.one_person(ada))
    off(Target.everybody())
    on(Target.one_person(ada))
    assert "everybody" in door_for(ada.pk, now=NOW).why
    on(Target.everybody())
    assert door_for(ada.pk, now=NOW) == OPEN


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_reason_is_needed_both_ways(ada, reason):
    with pytest.raises(ValidationError, match="reason"):
        off(Target.everybody(), reason=reason)
    with pytest.raises(ValidationError, match="reason"):
        on(Target.everybody(), reason=reason)
    assert Switch.objects.count() == 0


def test_a_target_has_one_switch_however_often_it_is_switched(ada, cem):
    off(Target.one_person(ada))
    switch_off(target=Target.one_person(ada), reason="still", by=cem, now=LATER)
    switch = Switch.objects.get()
    assert (switch.since, switch.reason, switch.changed_by) == (NOW, "still", cem)
    on(Target.one_person(ada))
    switch.refresh_from_db()
    assert (switch.is_on, switch.since) == (True, LATER)


def test_the_person_is_told_once_per_change(ada):
    off(Target.one_person(ada))
    off(Target.one_person(ada))
    on(Target.one_person(ada))
    assert [message.topic for message in Message.objects.filter(person=ada).order_by("pk")] == [
        "sync_switched_off",
        "sync_switched_on",
    ]


def test_a_switch_whose_target_does_not_fit_its_scope_is_impossible(ada):
    for wrong in ({"scope": "person"}, {"scope": "everybody", "person": ada}, {"scope": "platform"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Switch.objects.create(since=NOW, reason="x", **wrong)


def test_a_second_switch_for_one_target_is_impossible(ada):
    off(Target.everybody())
    with pytest.raises(IntegrityError), transaction.atomic():
        Switch.objects.create(scope="everybody", since=NOW, reason="x")


@pytest.mark.parametrize("count", [3, 600])
def test_doors_of_many_people_cost_two_queries(units, django_assert_num_queries, count):
    people = UserFactory.create_batch(count, org_unit=units["/Sales/EMEA"])
    off(Target.unit(units["/Sales"]))
    with django_assert_num_queries(2):
        doors = doors_for([person.pk for person in people], now=NOW)
    assert len(doors) == count
    assert not any(door.open for door in doors.values())


def test_an_open_door_costs_one_query(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert door_for(ada.pk, now=NOW).open


def test_without_rules_newest_wins_and_edit_beats_delete(ada):
    policy = policy_for(ada)
    assert (policy.conflict, policy.on_delete) == (ConflictPolicy.NEWEST, DeletePolicy.EDIT_WINS)


def test_a_group_that_is_switched_off_is_held_back_as_a_whole(ada, cem):
    board = PeopleGroup.objects.create(name="Board")
    board.members.add(ada)
    switch_off(target=Target.members_of(board), reason="elections", by=None, now=NOW)
    doors = doors_for([ada.pk, cem.pk], now=NOW)
    assert doors[ada.pk].why == "Sync is off for the group Board since 2026-11-22 09:00 UTC: elections"
    assert doors[cem.pk] == OPEN


def test_a_clearance_level_is_switched_off_alone(ada, cem):
    User.objects.filter(pk=ada.pk).update(clearance=Clearance.RESTRICTED)
    switch_off(target=Target.cleared_for(Clearance.RESTRICTED), reason="investigation", by=None, now=NOW)
    doors = doors_for([ada.pk, cem.pk], now=NOW)
    assert "the clearance restricted" in doors[ada.pk].why
    assert doors[cem.pk] == OPEN


def test_an_announced_switch_holds_from_its_time_on(ada):
    later = NOW + timedelta(days=3)
    switch = switch_off(target=Target.everybody(), reason="migration", by=None, now=NOW, holds_from=later)
    assert door_for(ada.pk, now=later - timedelta(seconds=1)) == OPEN
    assert door_for(ada.pk, now=later).why == "Sync is off for everybody since 2026-11-25 09:00 UTC: migration"
    assert (switch.since, switch.begins_at) == (NOW, later)


def test_an_announced_switch_can_be_called_off(ada):
    later = NOW + timedelta(days=3)
    switch_off(target=Target.everybody(), reason="migration", by=None, now=NOW, holds_from=later)
    switch = switch_on(target=Target.everybody(), reason="postponed", by=None, now=NOW)
    assert (switch.holds_from, switch.begins_at) == (None, NOW)
    assert door_for(ada.pk, now=later) == OPEN


def test_a_time_that_is_over_means_at_once(ada):
    switch = switch_off(target=Target.everybody(), reason="x", by=None, now=NOW, holds_from=NOW - timedelta(days=1))
    assert switch.begins_at == NOW
    assert not door_for(ada.pk, now=NOW).open


def test_every_kind_of_target_survives_the_way_through_its_row(ada):
    group = PeopleGroup.objects.create(name="Board")
    targets = [
        Target.everybody(),
        Target.whole_platform(Platform.GOOGLE),
        Target.cleared_for(Clearance.PUBLIC),
        Target.unit(ada.org_unit),
        Target.members_of(group),
        Target.one_person(ada),
    ]
    for target in targets:
        assert Target.of(switch_off(target=target, reason="x", by=None, now=NOW)) == target
    assert {target.scope for target in targets} == set(Scope)
