"""The pretend company: its people on both platforms, their diaries, and the file that maps them.

``seed`` fills a simulator. All dates are counted from the simulator's own clock; one seed, one company.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from calsync.simulator.core import Core
from calsync.simulator.desks import Desk, Entry, GoogleDesk, GraphDesk
from calsync.simulator.diaries import Diarist, Plan
from calsync.simulator.google.store import GoogleStore
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.roster import COLUMNS, Person, hire
from calsync.simulator.sketches import Sketch, google_body, graph_body
from calsync.simulator.specials import special

PAIR_EVERY = 4  # a person on both platforms has every fourth event on both sides already
SPECIAL_EVERY = 11


class Platforms(Protocol):
    """What a company is seeded into: a ``Simulator``, or anything else that holds both stores."""

    core: Core
    graph: GraphStore
    google: GoogleStore


@dataclass(slots=True)
class Company:
    """The people, their desks, and who administers the Google domain. ``events`` counts what was made by hand."""

    people: list[Person]
    google_admin: str
    desks: list[Desk] = field(default_factory=list)
    events: int = 0

    def csv(self) -> str:
        """The mapping file for ``map_org_units``."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(person.row() for person in self.people)
        return out.getvalue()


def seed(simulator: Platforms, *, people: int = 40, events: int = 1000, seed: int = 1) -> Company:
    """Create the people's mailboxes and about ``events`` events; also kept as ``core.company``."""
    chance = random.Random(seed)  # noqa: S311 - pretend data
    company = _open_mailboxes(simulator, hire(people, chance))
    today = simulator.core.clock.now().date()
    diarist = Diarist(today=today, chance=chance, colleagues=company.people)
    turn = specials = 0
    while company.events < events and company.people:
        person = company.people[turn % len(company.people)]
        company.events += _fill(simulator, person, diarist, turn // len(company.people) + turn % len(company.people))
        if person.google_mailbox and turn % SPECIAL_EVERY == 0:
            simulator.google.create_event(person.google_mailbox, special(specials, person.time_zone, today))
            specials += 1
            company.events += 1
        turn += 1
    simulator.core.company = company
    return company


def _open_mailboxes(simulator: Platforms, people: list[Person]) -> Company:
    admin = next((p.google_mailbox for p in people if p.google_mailbox and p.org_unit == "/Engineering"), "")
    admin = admin or next((person.google_mailbox for person in people if person.google_mailbox), "")
    company = Company(people, admin)
    for person in people:
        if person.outlook_mailbox:
            simulator.graph.add_mailbox(person.outlook_mailbox, person.name, person.time_zone, person.org_unit)
            company.desks.append(GraphDesk(simulator.graph, person.outlook_mailbox))
        if person.google_mailbox:
            simulator.google.add_mailbox(
                person.google_mailbox,
                person.name,
                person.time_zone,
                person.org_unit,
                admin=person.google_mailbox == admin,
            )
            company.desks.append(GoogleDesk(simulator.google, person.google_mailbox))
    return company


def _desks(simulator: Platforms, person: Person) -> list[Desk]:
    found: list[Desk] = []
    if person.outlook_mailbox:
        found.append(GraphDesk(simulator.graph, person.outlook_mailbox))
    if person.google_mailbox:
        found.append(GoogleDesk(simulator.google, person.google_mailbox))
    return found


def _fill(simulator: Platforms, person: Person, diarist: Diarist, beat: int) -> int:
    """One more event for a person, on one platform or, as a pair for adoption, on both; returns how many."""
    desks = _desks(simulator, person)
    plan = diarist.plan(person)
    if len(desks) == 2 and beat % PAIR_EVERY == 0 and not plan.sketch.guests:
        _pair(simulator, person, replace(plan, sketch=plain(plan.sketch)), by_uid=beat % (2 * PAIR_EVERY) == 0)
        return 2
    desk = desks[beat % len(desks)]
    twist(desk, desk.create(plan.sketch), plan)
    return 1


def plain(sketch: Sketch) -> Sketch:
    """The sketch without what the two platforms would word differently, so that both sides really are one event."""
    body = "" if sketch.is_html else sketch.body
    show_as = sketch.show_as if sketch.show_as == "free" else "busy"
    end = sketch.start + timedelta(hours=2) if sketch.end_zone else sketch.end
    return replace(sketch, body=body, is_html=False, show_as=show_as, end_zone="", end=end)


def _pair(simulator: Platforms, person: Person, plan: Plan, *, by_uid: bool) -> None:
    """The same event on both sides: migrated with its iCalUID, or typed in twice."""
    outlook, google = _desks(simulator, person)
    made = simulator.graph.create_event(person.outlook_mailbox, graph_body(plan.sketch))
    twist(outlook, made["id"], plan)
    body = google_body(plan.sketch)
    if by_uid:
        twin = simulator.google.import_event(person.google_mailbox, body | {"iCalUID": made["iCalUId"]})
    else:
        twin = simulator.google.create_event(person.google_mailbox, body)
    twist(google, twin["id"], plan)


def twist(desk: Desk, event_id: str, plan: Plan) -> None:
    """Do to the occurrences of a series what the plan says."""
    sketch = plan.sketch
    starts = sketch.starts()
    entry = Entry(event_id, sketch.title, sketch.start, sketch.end, sketch.all_day, sketch.repeat is not None)
    for change in plan.twists:
        if change.number >= len(starts):
            continue
        on = starts[change.number]
        if change.verb == "cancelled":
            desk.delete(event_id, on=on)
        elif change.verb == "renamed":
            desk.rename(event_id, f"{sketch.title} (special)", on=on)
        else:
            desk.move(entry, timedelta(hours=1 if on.hour < 20 else -1), on=on)
