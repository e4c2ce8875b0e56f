"""How every trouble has to end, and a clock by which waiting for that end costs no time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Health
from calendars.models import Calendar, Event, Link, LinkState, Operation
from calendars.sync.run import RunReport, serve
from calsync.simulator.core import Fault

LOOKS = 40
LOOK_EVERY = timedelta(minutes=15)


class Patience:
    """The clock that the sync goes by in a test: sleeping moves it on."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return timezone.now() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def settle(self) -> RunReport:
        """Serve everything that becomes due soon."""
        return serve(calendars=Calendar.objects.all(), clock=self.now, until_idle=True, sleep=self.sleep)

    def wait_it_out(self) -> timedelta:
        """Look again every quarter of an hour until nothing is left to do; returns how long it took."""
        begun = self.ahead
        for _ in range(LOOKS):
            if self.settle().idle:
                return self.ahead - begun
            self.ahead += LOOK_EVERY
        raise AssertionError(f"not idle after {self.ahead - begun}: {states()}")


def fault(provider: str, kind: str, **more) -> Fault:
    return Fault(provider, kind, **more)


def states() -> list[tuple[str, str, str]]:
    """How each calendar is doing, and what its reason says."""
    rows = Calendar.objects.order_by("account__platform", "pk").select_related("account")
    return [(row.account.platform, row.state, row.state_reason) for row in rows]


def state_of(person, platform: str) -> Calendar:
    """The calendar that a person has on a platform."""
    return Calendar.objects.get(account__person=person.user, account__platform=platform, account__is_active=True)


def titles(person) -> tuple[list[str], list[str]]:
    """What stands in Outlook and in Google, by title."""
    outlook = sorted(str(event.get("subject") or "") for event in person.outlook)
    return outlook, sorted(str(event.get("summary") or "") for event in person.google)


def assert_well(world, clock: Patience, person, expected: Iterable[str]) -> None:
    """Both sides hold just this, nothing is left to do or to write, everybody is healthy, and nobody got a mail."""
    wanted = sorted(expected)
    assert titles(person) == (wanted, wanted)
    world.simulator.core.ledger.clear()
    report = clock.settle()
    assert report.idle, states()
    assert report.tally.writes == {}
    assert world.provider_writes() == 0
    assert titles(person) == (wanted, wanted)
    assert {state for _, state, _ in states()} <= {Health.HEALTHY}, states()
    assert world.audit().match_rate == 100.0
    assert world.mails == []
    assert_rows_are_right(person, len(wanted))


def assert_rows_are_right(person, events: int) -> None:
    """One hub event for each, a standing link on either side, and no open or parked operation."""
    living = Event.objects.filter(owner=person.user, deleted_at=None)
    assert living.count() == events
    standing = Link.objects.filter(event__in=living, state=LinkState.ACTIVE).exclude(remote_id="")
    assert standing.count() == 2 * events
    assert not Operation.objects.filter(state__in=["planned", "in_flight", "parked"]).exists()
