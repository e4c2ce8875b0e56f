"""Listing the occurrences of a series: ``/instances`` needs a bounded span and never shows deleted occurrences.

What lives here: spans, paging, and finding the instance id behind an occurrence key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from calsync.engine import zones
from calsync.engine.events import Event, Field, OccurrenceKey, Timed, When
from calsync.engine.recurrence import occurrence_when
from calsync.providers.base import Mailbox, Rejected, Window
from calsync.providers.graph.batch import read_all
from calsync.providers.graph.client import GraphClient, Json, Request, segment
from calsync.providers.graph.mapping import day_of_occurrence
from calsync.providers.graph.times import key_on

FIELDS = "id,type,seriesMasterId,start,end,isAllDay,originalStart,originalStartTimeZone"
LONGEST = timedelta(days=700)
"""Of one listing: Exchange refuses expanded views over two years (ErrorCalendarViewRangeTooBig)."""
NEAR = timedelta(days=31)
"""Keys that lie this close are listed together."""


def list_instances(client: GraphClient, *, mailbox: Mailbox, master_id: str, spans: Sequence[Window]) -> list[Json]:
    """The occurrences and exceptions that lie in the spans, in Graph's JSON. Raises ProviderErrors, NotFound too."""
    requests = [instances_request(mailbox, master_id, span) for span in spans]
    found: list[Json] = []
    for request, answer in zip(requests, read_all(client, requests), strict=True):
        if isinstance(answer.error, Rejected) and "$select" in request.params:
            params = {name: value for name, value in request.params.items() if name != "$select"}
            request = Request("GET", request.path, params, label=request.label)
            answer = client.send(request)
        found += pages(client, answer.checked().body, request)
    return found


def instances_request(mailbox: Mailbox, master_id: str, span: Window) -> Request:
    """The listing of one span."""
    path = f"/users/{segment(mailbox.address)}/events/{segment(master_id)}/instances"
    bounds = {"startDateTime": utc_text(span.start), "endDateTime": utc_text(span.end)}
    return Request("GET", path, {**bounds, "$select": FIELDS, "$top": "200"}, label="instances")


def pages(client: GraphClient, body: Json, request: Request) -> Iterator[Json]:
    """The entries of a collection, following its pages."""
    while True:
        entries = body.get("value")
        yield from (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))
        link = body.get("@odata.nextLink")
        if not link:
            return
        body = client.follow(str(link), request).checked().body


def utc_text(moment: datetime) -> str:
    """An aware instant as Graph's windows take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ids_by_key(instances: Iterable[Json], series: When) -> dict[OccurrenceKey, str]:
    """Instance ids by the occurrence key that each stands for."""
    return {key_on(day_of_occurrence(raw, series), series): str(raw.get("id") or "") for raw in instances}


def spans_around(keys: Iterable[OccurrenceKey], *events: Event) -> list[Window]:
    """Few short spans that hold the occurrences with these keys, wherever ``events`` say that they were moved to."""
    points: set[datetime] = set()
    for key in keys:
        points.add(_begin(occurrence_when(events[0].content.when, key)))
        for event in events:
            moved = event.exceptions.get(key, {}).get(Field.WHEN)
            if moved is not None and not isinstance(moved, str):
                points.add(_begin(moved))
    return _grouped(sorted(points))


def divided(span: Window) -> list[Window]:
    """A span in pieces that Exchange accepts."""
    pieces = []
    start = span.start
    while start < span.end:
        end = min(start + LONGEST, span.end)
        pieces.append(Window(start=start, end=end))
        start = end
    return pieces


def _grouped(points: Sequence[datetime]) -> list[Window]:
    day = timedelta(days=1)
    groups: list[list[datetime]] = []
    for point in points:
        if groups and point - groups[-1][-1] <= NEAR and point - groups[-1][0] < LONGEST - 4 * day:
            groups[-1].append(point)
        else:
            groups.append([point])
    return [Window(start=group[0] - day, end=group[-1] + 2 * day) for group in groups]


def _begin(when: When) -> datetime:
    if isinstance(when, Timed):
        return zones.to_instant(when.start, when.zone)
    return datetime(when.start.year, when.start.month, when.start.day, tzinfo=UTC)
