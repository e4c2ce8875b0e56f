"""What stands for SIGKILL leaves behind what SIGKILL leaves: a held lease, an open write, nothing half stored."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calendars.models import Calendar, Operation
from tests.soak.seam import Interruption


@pytest.fixture
def renamed(pipeline):
    """An event that both sides have; its title was changed in Outlook and read, and not yet written in Google."""
    pipeline.begin(habit="usual")
    pipeline.stage.serve()
    pipeline.rename(side="outlook", which=0)
    pipeline.turn(side="outlook", ring=True)
    return pipeline


def killed(state, *, where: str, at: int) -> Interruption:
    plan = Interruption(at, where, state.stage.seam.die)
    with state.stage.seam.around(plan):
        state.stage.turn("google", ring=False)
    return plan


def test_a_worker_killed_before_its_write_leaves_lease_and_operation_as_they_were(renamed):
    assert killed(renamed, where="before", at=1).over
    assert Calendar.objects.get(account__platform="google").lease_owner is not None
    assert Operation.objects.get(state="in_flight").kind == "update"
    assert not renamed.stage.turn("google", ring=True)
    renamed.stage.move(timedelta(minutes=5))
    assert renamed.stage.turn("google", ring=True)
    renamed.quiet()


def test_a_worker_killed_after_its_write_has_written_it(renamed):
    before = renamed.stage.writes()
    assert killed(renamed, where="after", at=1).over
    assert renamed.stage.writes() == before + 1
    assert Operation.objects.filter(state="in_flight").count() == 1
    renamed.quiet()


def test_a_worker_killed_at_a_statement_stores_nothing_of_that_transaction(renamed):
    assert killed(renamed, where="statement", at=1).over
    assert Calendar.objects.get(account__platform="google").lease_owner is None
    assert not Operation.objects.filter(state="in_flight").exists()
    renamed.quiet()
