"""Short ways to write down rules and what they are asked about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import yaml

from calsync.engine.events import Event, Platform, Timed
from calsync.engine.rules.book import Rule
from calsync.engine.rules.facts import Facts, Hours, Party
from calsync.engine.rules.language import read_conditions
from calsync.engine.treatment import Treatment
from tests.engine.builders import NOW, single

BERLIN = Hours(zone="Europe/Berlin")
ADA = Party("ada@example.org", inside=True, unit="/Sales/EMEA", groups=frozenset({"Board"}), zone="Europe/Berlin")
BO = Party("bo@example.org", inside=True, unit="/SalesOps", zone="America/New_York")
EVE = Party("eve@elsewhere.test")


def facts(event: Event | None = None, **known: object) -> Facts:
    """An event of Ada's on its way from Outlook to Google."""
    usual = {"source": Platform.OUTLOOK, "target": Platform.GOOGLE, "now": NOW, "hours": BERLIN, "host": ADA}
    return Facts(**{"event": event or single(), **usual, **known})


def asks(conditions: str, known: Facts) -> bool:
    """Whether conditions, written as YAML, hold; asked both ways, which must agree."""
    condition = read_conditions(yaml.safe_load(conditions))
    answer = condition.answer(known)
    assert condition.holds(known) is answer.ok
    return answer.ok


def reasons(conditions: str, known: Facts) -> list[str]:
    return [part.reason for part in read_conditions(yaml.safe_load(conditions)).answer(known).parts]


def rule(name: str, conditions: str = "{}", **effects: object) -> Rule:
    treatment = Treatment(rule=name, **effects)
    return Rule(name, read_conditions(yaml.safe_load(conditions)), treatment, label=name)


def at(start: str, end: str, zone: str = "Europe/Berlin") -> Timed:
    return Timed(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)


def hours(zone: str, starts: str = "09:00", ends: str = "17:00", days: str = "12345") -> Hours:
    return Hours(zone, time.fromisoformat(starts), time.fromisoformat(ends), frozenset(map(int, days)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def like(known: Facts, **changes: object) -> Facts:
    return replace(known, **changes)
