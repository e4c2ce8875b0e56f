"""Many events asked against many rules, with no database: how many verdicts a second.

What lives here: rules and events of every kind, made up in a fixed order. What does not: reading rules from rows.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Frequency,
    Guest,
    Platform,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
)
from calsync.engine.rules import book
from calsync.engine.rules.effects import read_effects
from calsync.engine.rules.facts import Facts, Hours, Party, Topology
from calsync.engine.rules.language import read_conditions
from calsync.engine.rules.written import Written

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")
_DETAILS = ("full", "title", "busy")


def rules(count: int) -> list[book.Rule]:
    """Rules as a company might write them: each asks two or three things; the last matches few events."""
    return [
        book.Rule(
            f"rule {number}",
            read_conditions(conditions(number)),
            read_effects({"details": _DETAILS[number % 3]}),
            label=f"{number}v1",
        )
        for number in range(count)
    ]


def conditions(number: int) -> Written:
    """Every condition of the language comes up, each beside a quick one."""
    quick: list[Written] = [
        {"direction": "outlook_to_google", "show_as": "oof"},
        {"between": "colleagues", "series": {"frequency": "yearly"}},
        {"sensitivity": "confidential", "all_day": False},
        {"provider": "google", "response": "tentative"},
        {"all_day": True, "show_as": "elsewhere"},
    ]
    slow: list[Written] = [
        {"working_hours": {"is": "outside", "zone": _ZONES[number % 4]}},
        {"title": f"project {number}|offsite {number}"},
        {"weekday": {"days": ["sa", "su"], "zone": _ZONES[number % 4]}},
        {"guests": {"any": {"unit": f"/Unit {number}"}}},
        {"duration": {"at_least": "4h"}},
        {"zone_distance": {"at_least": 9}},
        {"category": f"category {number}"},
        {"organizer": {"group": f"Group {number}"}},
        {"classification": {"at_least": "restricted"}},
        {"type": "out_of_office"},
        {"guest_count": {"at_least": 40}},
        {"ahead": {"at_least": "52w"}},
    ]
    return {**quick[number % len(quick)], **slow[number % len(slow)]}


def situations(count: int) -> list[Facts]:
    """Events of all kinds, on both ways, no two asked twice."""
    return [_facts(number) for number in range(count)]


def _facts(number: int) -> Facts:
    day = date(2026, 11, 2) + timedelta(days=number % 90)
    start = datetime.combine(day, datetime.min.time()) + timedelta(hours=number % 20)
    zone = _ZONES[number % 4]
    when = Timed(start, start + timedelta(minutes=30 * (1 + number % 5)), zone)
    is_series, is_meeting = number % 7 == 0, number % 3 == 0
    guests = tuple(Party(f"g{n}@example.org", n % 2 == 0, "/Sales", zone=_ZONES[n % 4]) for n in range(3))
    event = Event(
        content=Content(
            when=AllDay(day, day + timedelta(days=1)) if number % 11 == 0 else when,
            title=f"Meeting about thing number {number}",
            show_as=[*ShowAs][number % 5],
            sensitivity=[*Sensitivity][number % 4],
        ),
        recurrence=Recurrence((Rule(Frequency.WEEKLY),)) if is_series else None,
        guests=tuple(Guest(guest.address) for guest in guests) if is_meeting else (),
    )
    return Facts(
        event=event,
        source=[*Platform][number % 2],
        target=[*Platform][1 - number % 2],
        now=NOW,
        topology=[*Topology][number % 2],
        hours=Hours(_ZONES[number % 3]),
        host=Party("host@example.org", True, "/Sales/EMEA", zone=zone),
        guests=guests if is_meeting else (),
        categories=frozenset({"Red"}) if number % 5 == 0 else frozenset(),
        response="organizer" if number % 2 else "accepted",
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts in a second of CPU, in one on the wall's clock, and the share of them that a written rule decided."""

    per_cpu: float
    per_clock: float
    decided: float


def judge(*, rule_count: int, event_count: int) -> Judged:
    """Ask rules about events, each about another one."""
    chain, asked = book.Chain(rules(rule_count)), situations(event_count)
    gc.collect()
    decided = 0
    cpu, clock = time.process_time(), time.perf_counter()
    for facts in asked:
        decided += bool(chain.decide(facts).rule.label)
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    return Judged(event_count / cpu, event_count / clock, decided / event_count)
