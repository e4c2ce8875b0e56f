"""The meetings of Bo and Cem, step by step, and their judge: it must notice every kind of wrong copy."""

from __future__ import annotations

import pytest

from tests.soak.world import BO, CEM, OTHER

BOTH_WAYS = pytest.mark.parametrize("host", ["outlook", "google"])
ONE_WAY = pytest.mark.parametrize("host", ["outlook"])


@pytest.fixture
def copied(pipeline, host):
    """A meeting whose invitation does not arrive, and its copy."""
    pipeline.begin(habit="usual", colleagues=True)
    pipeline.meet(host=host, day=1, hour=9, weekly=True, held=True)
    pipeline.quiet()
    return pipeline


def guests_desk(state, host):
    return state.table.desks[OTHER[host]]


def item(state):
    [found] = state.table._items(state.table.meetings[0])
    return found


@BOTH_WAYS
def test_a_copy_follows_is_put_back_gives_way_and_goes(copied, host):
    assert not item(copied).native
    for deed in ("rename", "move", "rename second", "cancel second"):
        copied.host_acts(which=0, deed=deed)
    copied.quiet()
    copied.guest_acts(which=0, deed="edit")
    copied.quiet()
    copied.mail(arrives=True)
    copied.quiet()
    assert item(copied).native
    copied.host_acts(which=0, deed="delete")
    copied.quiet()


@BOTH_WAYS
def test_a_copy_that_its_guest_deleted_stays_away_until_invited_anew(copied, host):
    copied.guest_acts(which=0, deed="delete")
    copied.quiet()
    assert copied.table._items(copied.table.meetings[0]) == []
    for deed in ("uninvite", "invite"):
        copied.host_acts(which=0, deed=deed)
        copied.quiet()
    assert not item(copied).native


@ONE_WAY
def test_the_judge_misses_a_copy(copied, host):
    guests_desk(copied, host).delete(item(copied).id)
    assert copied.table.complaints() == ["M1 does not stand at its guest's"]


@ONE_WAY
def test_the_judge_notices_a_copy_that_differs_and_an_edit_that_nobody_was_told_of(copied, host):
    copied.guest_acts(which=0, deed="edit")
    told = "; ".join(copied.table.complaints())
    assert "has a copy that differs" in told
    assert "lost its guest's edit" in told


@BOTH_WAYS
def test_a_guest_who_edits_again_before_anybody_looks_has_replaced_the_edit(copied, host):
    copied.guest_acts(which=0, deed="edit")
    copied.guest_acts(which=0, deed="edit")
    assert "; ".join(copied.table.complaints()).count("lost its guest's edit") == 1
    copied.quiet()
    copied.guest_acts(which=0, deed="edit")
    copied.quiet()
    assert len(copied.table.meetings[0].edits) == 2  # both were told


@ONE_WAY
def test_the_judge_notices_a_second_copy_and_one_of_a_meeting_that_is_over(copied, host):
    copied.table.mail(arrives=True)
    assert "stands 2 times at its guest's, 1 of these" in "; ".join(copied.table.complaints())
    copied.host_acts(which=0, deed="delete")
    assert "is not asked" in "; ".join(copied.table.complaints())


def test_both_have_one_calendar_and_a_turn_of_their_own(pipeline):
    pipeline.begin(habit="usual", colleagues=True)
    for person in (BO, CEM):
        pipeline.turn_of(person=person, ring=True)
    pipeline.turn_interrupted(first=BO, which=0, where="statement", at=9, death=True, deed="mail")
    pipeline.quiet()
    assert pipeline.stage.mails() == 0
