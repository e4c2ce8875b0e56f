"""calendarView/delta: rounds over a frozen window, pages, tokens, and everything that surprises about them.

A round's items are fixed when it begins and rendered when their page is asked for, so a page may be asked for twice.
Tokens are opaque to clients; here they carry the window and the calendar's sequence number.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime

from calsync.simulator.core import Switches
from calsync.simulator.graph.errors import GraphError, Json, bad_request, sync_state_gone
from calsync.simulator.graph.projection import View, removed
from calsync.simulator.graph.records import Calendar, Event
from calsync.simulator.graph.requests import DEFAULT_PAGE, METADATA, GraphRequest, Reply

UNSUPPORTED = ("$orderby", "$filter", "$select", "$expand", "$search")
KEPT_ROUNDS = 500
PREFIX = "R0usmc"


@dataclass(slots=True)
class Round:
    """One walk over the changes: items are (event, instance or None); ``until`` is where the next round begins."""

    calendar: Calendar
    epoch: int
    low: datetime
    high: datetime
    until: int
    is_first: bool
    items: list[tuple[Event, date | None]]


class DeltaRounds:
    """Rounds in progress, and the answers to delta requests."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._rounds: OrderedDict[str, Round] = OrderedDict()
        self._count = 0

    def answer(self, request: GraphRequest, calendar: Calendar) -> Reply:
        """One page of a round: a first one (window), a following one ($skiptoken) or the next round ($deltatoken)."""
        if wrong := [name for name in UNSUPPORTED if name in request.options()]:
            text = "The following parameters are not supported with change tracking over the 'CalendarView' resource"
            raise bad_request(f"{text}: '{', '.join(wrong)}'.", "ErrorInvalidUrlQuery")
        skip, token = request.option("$skiptoken"), request.option("$deltatoken")
        if skip or token:
            if request.options() & {"startdatetime", "enddatetime"}:
                raise bad_request("A delta token cannot be combined with a time window.", "ErrorInvalidParameter")
            return self._follow(request, calendar, skip) if skip else self._next(request, calendar, token or "")
        low, high = request.window()
        begun = Round(calendar, calendar.epoch, low, high, calendar.sequence, True, _everything(calendar, low, high))
        return self._page(request, self._keep(begun), begun, 0)

    def _next(self, request: GraphRequest, calendar: Calendar, token: str) -> Reply:
        try:
            calendar_id, epoch, low, high, since = _unpack(token)
            window = datetime.fromisoformat(low), datetime.fromisoformat(high)
        except (ValueError, TypeError) as error:
            raise GraphError(400, "SyncStateInvalid", "The sync state is invalid.") from error
        if calendar_id != calendar.id or epoch != calendar.epoch:
            raise sync_state_gone(_fresh(request, low, high))
        items = _changes(calendar, since, *window)
        begun = Round(calendar, calendar.epoch, *window, calendar.sequence, False, items)
        return self._page(request, self._keep(begun), begun, 0)

    def _follow(self, request: GraphRequest, calendar: Calendar, token: str) -> Reply:
        try:
            name, at = _unpack(token)
        except (ValueError, TypeError) as error:
            raise GraphError(400, "SyncStateInvalid", "The sync state is invalid.") from error
        found = self._rounds.get(name)
        if found is None or found.calendar is not calendar or found.epoch != calendar.epoch:
            raise sync_state_gone(f"{request.base}{request.url.partition('?')[0]}?$deltatoken=")
        return self._page(request, name, found, at)

    def _keep(self, begun: Round) -> str:
        self._count += 1
        name = str(self._count)
        self._rounds[name] = begun
        if len(self._rounds) > KEPT_ROUNDS:
            self._rounds.popitem(last=False)
        return name

    def _page(self, request: GraphRequest, name: str, begun: Round, at: int) -> Reply:
        size = request.prefer.page_size or DEFAULT_PAGE
        empty_first = self._switches.graph_delta_empty_pages and at == 0
        here = [] if empty_first else begun.items[max(at, 0) : max(at, 0) + size]
        following = -1 if empty_first else max(at, 0) + size
        body: Json = {"@odata.context": f"{METADATA}Collection(event)"}
        path = f"{request.base}{request.url.partition('?')[0]}"
        if following < len(begun.items):
            body["@odata.nextLink"] = f"{path}?$skiptoken={_pack(name, following)}"
        else:
            window = begun.low.isoformat(), begun.high.isoformat()
            token = _pack(begun.calendar.id, begun.epoch, *window, begun.until)
            body["@odata.deltaLink"] = f"{path}?$deltatoken={token}"
        body["value"] = self._rendered(request, begun, here)
        return Reply(200, body)

    def _rendered(self, request: GraphRequest, begun: Round, items: list[tuple[Event, date | None]]) -> list[Json]:
        found = [shown for event, on in items if (shown := self._one(request, begun, event, on)) is not None]
        return found * 2 if self._switches.graph_delta_repeats_items else found

    def _one(self, request: GraphRequest, begun: Round, event: Event, on: date | None) -> Json | None:
        if on is not None:
            if event.deleted or not event.has_occurrence(on) or not event.overlaps(on, begun.low, begun.high):
                return None  # gone meanwhile: a deleted occurrence leaves no mark at all
        elif event.deleted or not _in_window(event, begun.low, begun.high):
            return removed(event, immutable=request.prefer.immutable)
        shown = View(event, on, request.prefer, self._switches)
        if on is not None and (on not in event.exceptions or self._switches.graph_delta_exceptions_are_stubs):
            return shown.stub()
        whole = shown.whole()
        return {"@odata.type": "#microsoft.graph.event", **whole}


def _everything(calendar: Calendar, low: datetime, high: datetime) -> list[tuple[Event, date | None]]:
    """The first round: what lies in the window, a series as its master and its instances."""
    found: list[tuple[Event, date | None]] = []
    for event in calendar.events.values():
        days = event.instances(low, high)
        if days:
            found += [(event, None), *((event, on) for on in days)]
        elif event.recurrence is None and event.overlaps(None, low, high):
            found.append((event, None))
    return found


def _changes(calendar: Calendar, since: int, low: datetime, high: datetime) -> list[tuple[Event, date | None]]:
    """A later round: whatever changed, inside the window or not; a series with all its remaining instances."""
    found: list[tuple[Event, date | None]] = []
    for event in calendar.changed_since(since):
        found.append((event, None))
        if not event.deleted:
            found += [(event, on) for on in event.instances(low, high)]
    return found


def _in_window(event: Event, low: datetime, high: datetime) -> bool:
    if event.recurrence is not None:
        return bool(event.instances(low, high))
    return event.overlaps(None, low, high)


def _fresh(request: GraphRequest, low: str, high: str) -> str:
    path = f"{request.base}{request.url.partition('?')[0]}"
    return f"{path}?startDateTime={low}Z&endDateTime={high}Z&$deltatoken="


def _pack(*values: object) -> str:
    return PREFIX + base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _unpack(token: str) -> list:  # type: ignore[type-arg]  # mixed JSON
    """The values of a token; raises ValueError for anything that we did not make."""
    text = token.removeprefix(PREFIX)
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not a token") from error
    if not isinstance(values, list):
        raise ValueError("not a token")
    return values
