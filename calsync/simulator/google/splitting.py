"""What Google's web pages do for "this and following events": the series ends before, a copy of it goes on from there.

Observed: the old rule gets UNTIL at the last second of the day before; the tail is ``<base>_R<start in UTC>`` with that
id in its iCalUID when its start time is kept, and has a fresh id and sequence 1 when it is not; ``created`` and all
extended properties are copied; exceptions after the split are gone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from calsync.simulator.google import ids, moments, writing
from calsync.simulator.google.errors import invalid
from calsync.simulator.google.fields import WRITABLE
from calsync.simulator.google.moments import Moment
from calsync.simulator.google.placing import Draft, Options
from calsync.simulator.google.records import Calendar, Fields, Record
from calsync.simulator.google.recurrence import parts_of

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore


def split(
    store: GoogleStore, calendar: Calendar, master_id: str, at: date, changes: Fields, options: Options
) -> Record:
    """Split a series at the occurrence that starts ``at`` (wall clock of the series); returns the tail."""
    master = writing.find(calendar, master_id)
    wall = at if isinstance(at, datetime) else datetime.combine(at, time())
    if not master.recurring or not master.series().yields(wall) or wall == master.start.wall():
        raise invalid("Not a later occurrence of a series.")
    earlier = sum(1 for _ in master.series().between(None, wall))
    lines, fields = list(master.fields["recurrence"]), dict(master.fields)
    ended = [_ended(line, master.start, wall.date()) for line in lines]
    writing.patch(store, calendar, master_id, {"recurrence": ended}, options)
    start = master.start.at_wall(wall)
    end = start.at_wall(wall + master.duration).in_zone(master.end.zone)
    fields["recurrence"] = [_rest(line, earlier) for line in lines]
    return _tail(store, calendar, master, Draft(fields, start, end), changes, options)


def _tail(
    store: GoogleStore, calendar: Calendar, master: Record, draft: Draft, changes: Fields, options: Options
) -> Record:
    begins, ends = draft.start, draft.end
    zone = calendar.zone_name
    if "start" in changes and "end" in changes:
        begins = moments.parse(changes["start"], which="start", calendar_zone=zone, recurring=True)
        ends = moments.parse(changes["end"], which="end", calendar_zone=zone, recurring=True)
    keeps_time = begins == draft.start
    identifier = f"{master.id.split('_R')[0]}_R{begins.suffix().rstrip('Z')}" if keeps_time else ids.event_id()
    own = {key: value for key, value in changes.items() if key in WRITABLE}
    named = {"iCalUID": f"{identifier}@google.com", "sequence": 0 if keeps_time else 1}
    checked = writing.checked(
        calendar,
        Draft(draft.fields | own | named, begins, ends),
        replace(options, conference_version=1, supports_attachments=True),
    )
    record = Record(identifier, checked.fields, checked.start, checked.end, master.created_us)
    calendar.add(record)
    store.touch(calendar, [record])
    return record


def _ended(line: str, start: Moment, on: date) -> str:
    """The rule with an end on the day before ``on``."""
    if not line.startswith("RRULE:"):
        return line
    parts = {name: value for name, value in parts_of(line[6:]).items() if name not in {"COUNT", "UNTIL"}}
    last = on - timedelta(days=1)
    moment = f"{last:%Y%m%d}"
    if not start.all_day:
        end_of_day = datetime.combine(last, time(23, 59, 59), moments.known_zone(start.zone))
        moment = f"{end_of_day.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in (parts | {"UNTIL": moment}).items())


def _rest(line: str, earlier: int) -> str:
    """The rule without what lies before the split."""
    if not line.startswith("RRULE:"):
        return line
    parts = parts_of(line[6:])
    if "COUNT" in parts:
        parts["COUNT"] = str(int(parts["COUNT"]) - earlier)
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items())
