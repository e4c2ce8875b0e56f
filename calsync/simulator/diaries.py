"""What stands in the diaries of the pretend company: one maker per kind of event, every kind in turn.

Makers return sketches; what happens to single occurrences afterwards (moved, renamed, cancelled) stands beside them.
All dates lie between 25 days before and 300 days after today, yearly events and old series apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calsync.simulator.roster import Person
from calsync.simulator.sketches import Repeat, Sketch, nth_weekday

TOPICS = (
    "Budget review", "Roadmap", "Standup", "Customer visit", "Design critique", "Interview", "Release planning",
    "Vendor call", "Retrospective", "Training", "Town hall", "Contract talk", "Site inspection", "Onboarding",
)  # fmt: skip
COLOURS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbor",
    "iris",
    "juniper",
    "karst",
    "lagoon",
)
ODD_TITLES = (
    "🎉 Launch party 🚀",
    "اجتماع الفريق",
    "פגישת צוות",
    "四半期レビュー",
    "Café ☕ & croissants",
    "Διάλειμμα 🌞",
)
PLACES = ("Room Aldebaran", "Room Vega", "Online", "Canteen", "Hall 3, Gate B", "")
HTML = (
    "<p>Agenda:</p><ul><li>Figures</li><li><b>Decisions</b></li></ul>"
    "<p>See <a href='https://intranet.example/x'>notes</a>.</p>"
)
LONG = "Paragraph {n}: what was agreed last time, what is open, and who brings which figures to the table.\n"
FIRMS = ("brightwater.example", "ostrava-tools.example")
STRANGERS = tuple(f"{name}@{firm}" for name in ("dana", "omar", "pia") for firm in FIRMS)


@dataclass(frozen=True, slots=True)
class Twist:
    """What happens to the n-th occurrence: moved (by hours on the same day), renamed or cancelled."""

    verb: str
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A sketch and what happens to its occurrences."""

    sketch: Sketch
    twists: tuple[Twist, ...] = ()


class Diarist:
    """Makes plans for a person. ``today`` is the middle of everything; the same chance gives the same plans."""

    def __init__(self, *, today: date, chance: random.Random, colleagues: list[Person]) -> None:
        self._today = today
        self._chance = chance
        self._colleagues = colleagues
        self._number = 0

    def plan(self, person: Person) -> Plan:
        """The next kind of event, for this person."""
        maker = MAKERS[self._number % len(MAKERS)]
        self._number += 1
        plan = maker(self, person)
        return replace(plan, sketch=replace(plan.sketch, location=self._chance.choice(PLACES)))

    def skip(self, kinds: int) -> None:
        """Go on with another kind of event."""
        self._number += kinds

    def sketch(self, person: Person, *, title: str = "", days: tuple[int, int] = (-25, 300)) -> Sketch:
        """An ordinary timed event on a working day."""
        chance = self._chance
        day = self._workday(self._today + timedelta(days=chance.randint(*days)))
        start = datetime.combine(day, time(chance.randint(8, 16), chance.choice((0, 0, 15, 30))))
        end = start + timedelta(minutes=chance.choice((15, 30, 45, 60, 90, 120)))
        word = f"{chance.choice(COLOURS)} {self._number}"
        return Sketch(f"{title or chance.choice(TOPICS)} {word}", start, end, person.time_zone)

    def days(self, person: Person, length: int, *, title: str) -> Sketch:
        """An all-day event of ``length`` days."""
        base = self.sketch(person, title=title)
        start = datetime.combine(base.start.date(), time())
        return replace(base, start=start, end=start + timedelta(days=length), all_day=True)

    def series(self, person: Person, repeat: Repeat, *, title: str = "") -> Sketch:
        """A series that begins between 25 days ago and 60 days ahead, on a day that its rule yields."""
        base = self.sketch(person, title=title, days=(-25, 60))
        day = base.start.date()
        if repeat.ordinal:
            day = nth_weekday(day.year, day.month, repeat.days[0], repeat.ordinal)
        elif repeat.days:
            day += timedelta(days=min((weekday - day.weekday()) % 7 for weekday in repeat.days))
        elif repeat.frequency == "monthly":
            day = day.replace(day=min(day.day, 28))
        if repeat.until:
            repeat = replace(repeat, until=day + (repeat.until - self._today))
        moved = day - base.start.date()
        return replace(base, start=base.start + moved, end=base.end + moved, repeat=repeat)

    def guests(self, person: Person, *, inside: int, outside: int) -> tuple[str, ...]:
        """Colleagues and strangers, the person left out."""
        others = [one.email for one in self._colleagues if one.email != person.email]
        return (*self._chance.sample(others, min(inside, len(others))), *self._chance.sample(STRANGERS, outside))

    def pick(self, *values: int) -> int:
        """One of the numbers."""
        return self._chance.choice(values)

    def today_plus(self, days: int) -> date:
        """A day counted from today."""
        return self._today + timedelta(days=days)

    def odd_title(self) -> str:
        """A title with emoji, or in a script that runs from right to left."""
        return self._chance.choice(ODD_TITLES)

    @staticmethod
    def _workday(day: date) -> date:
        return day + timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day


def _single(diarist: Diarist, person: Person) -> Plan:
    return Plan(diarist.sketch(person))


def _all_day(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.days(person, 1, title="Deadline"), show_as="free"))


def _multi_day(diarist: Diarist, person: Person) -> Plan:
    return Plan(diarist.days(person, diarist.pick(2, 3, 5), title="Conference"))


def _over_midnight(diarist: Diarist, person: Person) -> Plan:
    base = diarist.sketch(person, title="Night shift")
    start = base.start.replace(hour=22, minute=30)
    return Plan(replace(base, start=start, end=start + timedelta(hours=5)))


def _daily(diarist: Diarist, person: Person) -> Plan:
    return Plan(diarist.series(person, Repeat("daily", interval=diarist.pick(1, 1, 2), count=diarist.pick(5, 10, 20))))


def _weekly(diarist: Diarist, person: Person) -> Plan:
    repeat = Repeat("weekly", days=(0, 2, 4), until=diarist.today_plus(diarist.pick(60, 120)))
    return Plan(diarist.series(person, repeat), (Twist("cancelled", 2), Twist("cancelled", 5), Twist("moved", 3)))


def _fortnightly(diarist: Diarist, person: Person) -> Plan:
    repeat = Repeat("weekly", interval=2, days=(diarist.pick(0, 1, 3),))
    return Plan(diarist.series(person, repeat), (Twist("renamed", 1), Twist("moved", 2), Twist("cancelled", 4)))


def _monthly_by_day(diarist: Diarist, person: Person) -> Plan:
    return Plan(diarist.series(person, Repeat("monthly", count=diarist.pick(6, 12))), (Twist("moved", 1),))


def _monthly_by_weekday(diarist: Diarist, person: Person) -> Plan:
    repeat = Repeat("monthly", days=(diarist.pick(1, 2, 3),), ordinal=diarist.pick(1, 2, 3, -1), count=9)
    return Plan(diarist.series(person, repeat), (Twist("renamed", 2),))


def _yearly(diarist: Diarist, person: Person) -> Plan:
    return Plan(diarist.series(person, Repeat("yearly"), title="Anniversary"))


def _yearly_days(diarist: Diarist, person: Person) -> Plan:
    base = diarist.days(person, 1, title="Founders' day")
    return Plan(replace(base, repeat=Repeat("yearly", count=5), show_as="free"))


def _all_day_series(diarist: Diarist, person: Person) -> Plan:
    base = diarist.days(person, 1, title="On call")
    repeat = Repeat("weekly", days=(base.start.weekday(),), until=base.start.date() + timedelta(days=70))
    return Plan(replace(base, repeat=repeat), (Twist("cancelled", 2),))


def _over_the_clock_change(diarist: Diarist, person: Person) -> Plan:
    """Half a year of weeks: every zone with summer time changes its clocks within."""
    base = diarist.series(person, Repeat("weekly", days=(diarist.pick(1, 2, 3),), count=30), title="Clocks")
    return Plan(base, (Twist("renamed", 20), Twist("moved", 22)))


def _private(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title="Doctor"), is_private=True))


def _free(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title="Maybe lunch"), show_as="free"))


def _tentative(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title="Pencilled in"), show_as="tentative"))


def _away(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title="Out"), show_as="oof"))


def _meeting_inside(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person), guests=diarist.guests(person, inside=diarist.pick(1, 2, 4), outside=0)))


def _meeting_outside(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title="Partner"), guests=diarist.guests(person, inside=1, outside=2)))


def _meeting_series(diarist: Diarist, person: Person) -> Plan:
    base = diarist.series(person, Repeat("weekly", days=(diarist.pick(0, 1, 3),), count=12))
    return Plan(replace(base, guests=diarist.guests(person, inside=2, outside=1)), (Twist("cancelled", 3),))


def _odd_words(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person, title=diarist.odd_title()), body="שלום 👋 مرحبا\nSecond line"))


def _long_body(diarist: Diarist, person: Person) -> Plan:
    body = "".join(LONG.format(n=number) for number in range(1, 41))
    return Plan(replace(diarist.sketch(person), body=body))


def _html_body(diarist: Diarist, person: Person) -> Plan:
    return Plan(replace(diarist.sketch(person), body=HTML, is_html=True))


def _journey(diarist: Diarist, person: Person) -> Plan:
    """Starts and ends in different zones."""
    base = diarist.sketch(person, title="Flight")
    lands = base.start.replace(tzinfo=ZoneInfo(base.zone)).astimezone(ZoneInfo("Asia/Singapore")) + timedelta(hours=13)
    return Plan(replace(base, end=lands.replace(tzinfo=None), end_zone="Asia/Singapore"))


MAKERS: tuple[Callable[[Diarist, Person], Plan], ...] = (
    _single, _weekly, _all_day, _meeting_inside, _single, _multi_day, _daily, _private, _single, _over_midnight,
    _fortnightly, _odd_words, _single, _monthly_by_day, _meeting_outside, _html_body, _single, _monthly_by_weekday,
    _free, _tentative, _single, _yearly, _over_the_clock_change, _long_body, _single, _meeting_series, _away,
    _all_day_series, _single, _yearly_days, _journey,
)  # fmt: skip
