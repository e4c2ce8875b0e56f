"""Reading events: the list (singles and masters), the calendar view, the instances of a series, one event."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from calsync.simulator.core import Switches
from calsync.simulator.graph.errors import Json, bad_request, invalid_request
from calsync.simulator.graph.fields import extended_key
from calsync.simulator.graph.filters import by_extended_property, compile_filter, walk
from calsync.simulator.graph.projection import View, check_select
from calsync.simulator.graph.records import Calendar, Event, Mailbox
from calsync.simulator.graph.requests import METADATA, GraphRequest, Reply, paged, split_top

Found = tuple[Event, date | None]
EXPAND = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
QUOTED = re.compile(r"'((?:[^']|'')*)'")
ORDERS: dict[str, Callable[[Found], Any]] = {
    "start/datetime": lambda found: found[0].span(found[1])[0].utc,
    "end/datetime": lambda found: found[0].span(found[1])[1].utc,
    "createddatetime": lambda found: found[0].created_at,
    "lastmodifieddatetime": lambda found: (found[0].modified_at, found[0].sequence),
    "subject": lambda found: (found[0].values(found[1])["subject"] or "").lower(),
}


def list_events(request: GraphRequest, mailbox: Mailbox, calendar: Calendar | None, switches: Switches) -> Reply:
    """``GET /events``: singles and masters only, of one calendar or (None) of the default one."""
    owner = calendar or mailbox.default
    text = request.option("$filter") or ""
    if (pair := by_extended_property(text)) is not None:
        hits = mailbox.by_extended.get(pair, {}).values()
        found: list[Found] = [(event, None) for event in hits if calendar is None or event.calendar is owner]
    else:
        found = _filtered(request, _singles_and_masters(owner), switches, text)
    return _page(request, _ordered(request, found), switches, mailbox, "events")


def _singles_and_masters(calendar: Calendar) -> list[Found]:
    """Every event of a calendar in order of creation; kept until the calendar changes."""
    if calendar.list_sequence != calendar.sequence:
        calendar.list_sequence = calendar.sequence
        calendar.list_items = [(event, None) for event in calendar.events.values()]
    return calendar.list_items


def view(request: GraphRequest, mailbox: Mailbox, calendar: Calendar, switches: Switches) -> Reply:
    """``GET /calendarView``: singles, occurrences and exceptions that overlap the window."""
    low, high = request.window()
    found = _filtered(request, in_window(calendar, low, high), switches, request.option("$filter") or "")
    return _page(request, _ordered(request, found), switches, mailbox, "calendarView")


def in_window(calendar: Calendar, low: datetime, high: datetime) -> list[Found]:
    """Everything that overlaps the window, by start; kept until the calendar changes, since pages ask again."""
    key = (calendar.sequence, low, high)
    if calendar.view_key != key:
        found: list[Found] = []
        for event in calendar.events.values():
            if event.recurrence is not None:
                found += [(event, on) for on in event.instances(low, high)]
            elif event.overlaps(None, low, high):
                found.append((event, None))
        calendar.view_key, calendar.view_items = key, sorted(found, key=ORDERS["start/datetime"])
    return calendar.view_items


def instances(request: GraphRequest, event: Event, on: date | None, switches: Switches) -> Reply:
    """``GET /events/{id}/instances``: what is left of a series inside the window."""
    low, high = request.window()
    if event.recurrence is None or on is not None:
        raise invalid_request("Your request can't be completed. The item is not a recurring master.")
    found: list[Found] = [(event, day) for day in event.instances(low, high)]
    return _page(request, _ordered(request, found), switches, event.mailbox, "instances")


def one(request: GraphRequest, event: Event, on: date | None, switches: Switches, *, status: int = 200) -> Reply:
    """One event or instance, with the selected and expanded properties."""
    names, expanded = _asked(request)
    if "exceptionOccurrences" in expanded and switches.graph_expand_exceptions_refused:
        raise bad_request("The property 'exceptionOccurrences' cannot be expanded.", "ErrorInvalidProperty")
    shown = _render(View(event, on, request.prefer, switches), names, expanded)
    if "exceptionOccurrences" in expanded and "exceptionOccurrences" in names and event.recurrence and on is None:
        shown["exceptionOccurrences"] = _exceptions(request, event, expanded["exceptionOccurrences"], switches)
    chosen = f"({','.join(names)})" if names else ""
    context = f"{METADATA}users('{event.mailbox.guid}')/events{chosen}/$entity"
    return Reply(status, {"@odata.context": context, **shown}, {"ETag": event.etag})


def _exceptions(request: GraphRequest, event: Event, inner: str, switches: Switches) -> list[Json]:
    """Exceptions of a master: never the cancelled ones."""
    found = re.search(r"\$select=([^;]*)", inner)
    names = [name.strip() for name in found[1].split(",")] if found else []
    check_select(names)
    return [_render(View(event, on, request.prefer, switches), names, {}) for on in sorted(event.exceptions)]


def _page(request: GraphRequest, found: list[Found], switches: Switches, mailbox: Mailbox, what: str) -> Reply:
    names, expanded = _asked(request)
    if "exceptionOccurrences" in expanded:
        raise bad_request("The property 'exceptionOccurrences' can only be expanded on one event.")
    chosen = f"({','.join(names)})" if names else ""
    return paged(
        request,
        found,
        lambda item: _render(View(item[0], item[1], request.prefer, switches), names, expanded),
        context=f"users('{mailbox.guid}')/{what}{chosen}",
    )


def _asked(request: GraphRequest) -> tuple[list[str], dict[str, str]]:
    """$select's names and $expand's relations with what stands in their parentheses."""
    names, expanded = request.names("$select"), {}
    check_select(names)
    for part in split_top(request.option("$expand") or ""):
        found = EXPAND.fullmatch(part)
        if found is None or found[1] not in ("singleValueExtendedProperties", "exceptionOccurrences", "calendar"):
            raise bad_request(f"Could not find a property named '{part.partition('(')[0]}' to expand.")
        expanded[found[1]] = found[2] or ""
    return names, expanded


def _render(shown: View, names: list[str], expanded: dict[str, str]) -> Json:
    found = shown.some(names) if names else shown.whole()
    if "singleValueExtendedProperties" in expanded:
        found |= _extended(shown, expanded["singleValueExtendedProperties"])
    if "calendar" in expanded:
        found["calendar"] = {"id": shown.event.calendar.id, "name": shown.event.calendar.name}
    return found


def _extended(shown: View, inner: str) -> Json:
    """Only properties named in the nested filter come along; the key is absent when there is none."""
    wanted = {extended_key(name.replace("''", "'")) for name in QUOTED.findall(inner)}
    if not wanted:
        raise bad_request("Expanding extended properties requires a filter on their ids.", "ErrorInvalidRequest")
    event = shown.event
    own = event.exceptions.get(shown.on) if shown.on is not None else None
    stored = event.extended | (own.extended if own else {})
    hits = [{"id": name, "value": stored[name]} for name in sorted(wanted) if name in stored]
    return {"singleValueExtendedProperties": hits} if hits else {}


def _filtered(request: GraphRequest, found: list[Found], switches: Switches, text: str) -> list[Found]:
    if not text:
        return found
    test = compile_filter(text)
    return [item for item in found if test(_getter(View(item[0], item[1], request.prefer, switches)))]


def _getter(shown: View) -> Callable[[str], Any]:
    def get(path: str) -> Any:
        head, *rest = path.split("/")
        if head == "singleValueExtendedProperties":
            return [{"id": name, "value": value} for name, value in shown.event.extended.items()]
        check_select([head])
        return walk(shown.one(head), rest)

    return get


def _ordered(request: GraphRequest, found: list[Found]) -> list[Found]:
    text = (request.option("$orderby") or "").strip()
    if not text:
        return found
    path, _, direction = text.partition(" ")
    order = ORDERS.get(path.lower())
    if order is None or direction.strip().lower() not in ("", "asc", "desc"):
        raise bad_request(f"The order '{text}' is not supported.", "ErrorInvalidUrlQuery")
    return sorted(found, key=order, reverse=direction.strip().lower() == "desc")
