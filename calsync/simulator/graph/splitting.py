"""What Outlook does for "this and all following events". Exchange has no primitive for it: the series is ended on the
day before (which drops its exceptions) and a new one is made from there, with an id and an iCalUId of its own. Guests
are asked anew.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from calsync.simulator.graph import mail
from calsync.simulator.graph.errors import Json, invalid_request
from calsync.simulator.graph.moments import Moment
from calsync.simulator.graph.records import Event, Mailbox
from calsync.simulator.graph.writing import read_change

if TYPE_CHECKING:
    from calsync.simulator.graph.store import GraphStore

COPIED = ("subject", "location", "showAs", "sensitivity", "isAllDay", "importance", "categories")


def split(store: GraphStore, mailbox: Mailbox, master_id: str, on: date, changes: Json) -> Event:
    """Split a series at the occurrence born on ``on``; returns the tail."""
    master, _ = store.find(mailbox, master_id)
    begins = master.series.on(on) if master.series is not None else None
    if begins is None or begins == master.start.wall or master.series is None or master.recurrence is None:
        raise invalid_request("Not a later occurrence of a series.")
    recurrence = master.recurrence
    earlier = len(master.series.between(master.start.wall, begins))
    body = _tail(master, recurrence, begins, earlier) | changes
    ended = {"type": "endDate", "startDate": recurrence["range"]["startDate"], "endDate": _day(on - timedelta(days=1))}
    cut = {"recurrence": {"pattern": recurrence["pattern"], "range": ended}}
    store.update(mailbox, master_id, cut, by_person=True)
    extended = dict(master.extended)
    tail = store.insert(mailbox, master.calendar, read_change(body), uid="", props=store.own_props(mailbox))
    tail.extended = extended  # clients clone what they do not know
    store.touch(tail, "created")
    mail.announce_new(store, tail, by_person=True)
    return tail


def _tail(master: Event, recurrence: Json, begins: datetime, earlier: int) -> Json:
    span = {**recurrence["range"], "startDate": _day(begins.date())}
    if span["type"] == "numbered":
        span["numberOfOccurrences"] -= earlier
    return {
        **{name: master.props[name] for name in COPIED},
        "attendees": [{name: one[name] for name in ("emailAddress", "type")} for one in master.props["attendees"]],
        "body": {"contentType": "html", "content": master.props["body"]},
        "start": _wire(master.start.at(begins)),
        "end": _wire(master.end.at(begins + (master.end.wall - master.start.wall))),
        "recurrence": {"pattern": recurrence["pattern"], "range": span},
    }


def _wire(moment: Moment) -> Json:
    return {"dateTime": moment.wall.isoformat(), "timeZone": moment.named}


def _day(on: date) -> str:
    return on.isoformat()
