"""A person's hands on one series, the same verbs on either side, and what the person then sees there.

Occurrences are named by their original local start. What is seen is expanded by each simulator itself, with nothing of
the engine in between.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from calsync.simulator.google import expansion
from calsync.simulator.google.records import Record

LOW, HIGH = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)
WINDOWS = {
    "Europe/Berlin": "W. Europe Standard Time",
    "America/New_York": "Eastern Standard Time",
    "Asia/Tokyo": "Tokyo Standard Time",
    "Europe/London": "GMT Standard Time",
    "UTC": "UTC",
}
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekly_in_outlook(first: datetime | date, count: int, *, interval: int = 1) -> dict:
    return {
        "pattern": {"type": "weekly", "interval": interval, "daysOfWeek": [NAMES[first.weekday()]]},
        "range": {"type": "numbered", "startDate": f"{first:%Y-%m-%d}", "numberOfOccurrences": count},
    }


class Outlook:
    """One person's Outlook calendar."""

    name = "outlook"

    def __init__(self, person) -> None:
        self.person, self.store = person, person.world.simulator.graph

    def make(self, title, first, *, minutes=30, count=5, zone="Europe/Berlin", **more) -> str:
        if not isinstance(first, datetime):
            span = {"start": _graph(first, "UTC"), "end": _graph(first + timedelta(days=1), "UTC"), "isAllDay": True}
        else:
            last = first + timedelta(minutes=minutes)
            span = {"start": _graph(first, WINDOWS[zone]), "end": _graph(last, WINDOWS[zone])}
        body = {"subject": title, **span, "recurrence": weekly_in_outlook(first, count), **more}
        return self.store.create_event(self.person.address, body)["id"]

    @property
    def series(self):
        [found] = [event for event in self._events() if event.series is not None]
        return found

    def _events(self):
        return list(self.store.mailbox(self.person.address).default.events.values())

    def _id(self, on) -> str:
        return self.series.frame.instance(on.date() if isinstance(on, datetime) else on)

    def rename(self, on, title) -> None:
        self.edit(on, subject=title)

    def move(self, on, to, *, minutes=30, zone="Europe/Berlin") -> None:
        if not isinstance(to, datetime):
            self.edit(on, start=_graph(to, "UTC"), end=_graph(to + timedelta(days=1), "UTC"), isAllDay=True)
            return
        named = WINDOWS[zone]
        self.edit(on, start=_graph(to, named), end=_graph(to + timedelta(minutes=minutes), named))

    def edit(self, on, **body) -> None:
        self.store.update_event(self.person.address, self._id(on), body)

    def cancel(self, on) -> None:
        self.store.delete_event(self.person.address, self._id(on))

    def delete_all(self) -> None:
        self.store.delete_event(self.person.address, self.series.id)

    def rename_all(self, title) -> None:
        self.store.update_event(self.person.address, self.series.id, {"subject": title})

    def move_all(self, first, *, minutes=30, zone="Europe/Berlin") -> None:
        """Another time of day for the whole series, sent with its recurrence as Outlook does."""
        rule = self.series.recurrence
        named = WINDOWS[zone]
        body = {"start": _graph(first, named), "end": _graph(first + timedelta(minutes=minutes), named)}
        span = {**rule["range"], "startDate": f"{first:%Y-%m-%d}", "recurrenceTimeZone": named}
        pattern = {**rule["pattern"], "daysOfWeek": [NAMES[first.weekday()]]}
        body["recurrence"] = {"pattern": pattern, "range": span}
        self.store.update_event(self.person.address, self.series.id, body)

    def end_after(self, last: date) -> None:
        rule = self.series.recurrence
        span = {"type": "endDate", "startDate": rule["range"]["startDate"], "endDate": last.isoformat()}
        body = {"recurrence": {"pattern": rule["pattern"], "range": span}}
        self.store.update_event(self.person.address, self.series.id, body)

    def sees(self) -> list[tuple[str, str, str]]:
        """(start, end, title) of everything in the calendar: UTC instants, or dates for whole days."""
        low, high = LOW.replace(tzinfo=None), HIGH.replace(tzinfo=None)
        found = []
        with self.store.core.lock:
            for event in self._events():
                for on in event.instances(low, high) if event.series else [None]:
                    start, end = event.span(on)
                    values = event.values(on)
                    days = values["isAllDay"]
                    shown = [(m.wall.date() if days else m.utc).isoformat() for m in (start, end)]
                    found.append((*shown, values["subject"]))
        return sorted(found)


class Google:
    """One person's Google calendar."""

    name = "google"

    def __init__(self, person) -> None:
        self.person, self.store = person, person.world.simulator.google

    def make(self, title, first, *, minutes=30, count=5, zone="Europe/Berlin", **more) -> str:
        if not isinstance(first, datetime):
            span = {"start": {"date": f"{first}"}, "end": {"date": f"{first + timedelta(days=1)}"}}
        else:
            span = {"start": _google(first, zone), "end": _google(first + timedelta(minutes=minutes), zone)}
        body = {"summary": title, **span, "recurrence": [f"RRULE:FREQ=WEEKLY;COUNT={count}"], **more}
        return self.store.create_event(self.person.address, body)["id"]

    @property
    def calendar(self):
        return self.store.calendar(self.person.address)

    @property
    def series(self) -> Record:
        [found] = [r for r in self.calendar.rows if r.recurring and not r.cancelled]
        return found

    def occurrence_id(self, on) -> str:
        series = self.series
        wall = on if isinstance(on, datetime) else datetime.combine(on, time())
        return f"{series.id}_{series.start.at_wall(wall).suffix()}"

    def rename(self, on, title) -> None:
        self.edit(on, summary=title)

    def move(self, on, to, *, minutes=30, zone="Europe/Berlin") -> None:
        if not isinstance(to, datetime):
            self.edit(on, start={"date": f"{to}"}, end={"date": f"{to + timedelta(days=1)}"})
            return
        self.edit(on, start=_google(to, zone), end=_google(to + timedelta(minutes=minutes), zone))

    def edit(self, on, **body) -> None:
        self.store.patch_event(self.person.address, self.occurrence_id(on), body)

    def cancel(self, on) -> None:
        self.store.delete_event(self.person.address, self.occurrence_id(on))

    def restore(self, on) -> None:
        self.edit(on, status="confirmed")

    def delete_all(self) -> None:
        self.store.delete_event(self.person.address, self.series.id)

    def rename_all(self, title) -> None:
        self.store.patch_event(self.person.address, self.series.id, {"summary": title})

    def move_all(self, first, *, minutes=30, zone="Europe/Berlin") -> None:
        body = {"start": _google(first, zone), "end": _google(first + timedelta(minutes=minutes), zone)}
        self.store.patch_event(self.person.address, self.series.id, body)

    def end_after(self, last: date) -> None:
        start = self.series.start
        until = f"{last:%Y%m%d}"
        if not start.all_day:
            until = start.at_wall(datetime.combine(last, time(23, 59, 59))).suffix()
        body = {"recurrence": [f"RRULE:FREQ=WEEKLY;UNTIL={until}"]}
        self.store.patch_event(self.person.address, self.series.id, body)

    def sees(self) -> list[tuple[str, str, str]]:
        """(start, end, title) of everything in the calendar: UTC instants, or dates for whole days."""
        found = []
        with self.store.core.lock:
            for record in self.calendar.rows:
                if record.master is not None or record.cancelled:
                    continue
                several = expansion.occurrences(self.calendar, record, LOW, HIGH) if record.recurring else [record]
                found += [(_told(one.start), _told(one.end), one.effective.get("summary", "")) for one in several]
        return sorted(found)


def _told(moment) -> str:
    return moment.day.isoformat() if moment.all_day else moment.instant.replace(tzinfo=None).isoformat()


def _graph(wall, zone) -> dict:
    wall = wall if isinstance(wall, datetime) else datetime.combine(wall, time())
    return {"dateTime": wall.isoformat(), "timeZone": zone}


def _google(wall, zone) -> dict:
    return {"dateTime": wall.isoformat(), "timeZone": zone}


def hands_of(person) -> dict[str, Outlook | Google]:
    return {"outlook": Outlook(person), "google": Google(person)}


def expect_in_step(world, person) -> list[tuple[str, str, str]]:
    """Run the pipeline; both sides then show the same, nobody got mail, and a second pass writes nothing."""
    world.settle()
    hands = hands_of(person)
    seen = hands["outlook"].sees()
    assert hands["google"].sees() == seen
    assert world.mails == []
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert world.audit().match_rate == 100.0
    return seen
