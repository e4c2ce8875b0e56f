"""The calendars of one mailbox and its time zone."""

from __future__ import annotations

from calsync.engine import zones
from calsync.providers.base import AccessDenied, CalendarInfo, MailboxUnavailable, NotFound, Rejected
from calsync.providers.graph.client import GraphClient, Json, Request, segment
from calsync.providers.graph.instances import pages


def calendars(client: GraphClient, *, address: str) -> list[CalendarInfo]:
    """All calendars; raises MailboxUnavailable for an unknown mailbox or one without Exchange Online."""
    path = f"/users/{segment(address)}/calendars"
    request = Request("GET", path, {"$top": "100"}, label="calendars")
    answer = client.send(request)
    if isinstance(answer.error, NotFound):
        raise MailboxUnavailable(
            "The mailbox is not known to Microsoft.", status=answer.status, code=answer.error.code
        ) from answer.error
    found = list(pages(client, answer.checked().body, request))
    zone, default = _zone(client, address), _default_id(client, address, found)
    return [_info(raw, zone, default) for raw in found if raw.get("id")]


def try_mailbox(client: GraphClient, *, address: str) -> None:
    """One small question about a mailbox; raises what Graph refuses, MailboxUnavailable for an unknown one."""
    answer = client.send(Request("GET", f"/users/{segment(address)}/calendar", {"$select": "id"}, label="calendars"))
    if isinstance(answer.error, NotFound):
        raise MailboxUnavailable(
            "The mailbox is not known to Microsoft.", status=answer.status, code=answer.error.code
        ) from answer.error
    answer.checked()


def _info(raw: Json, zone: str, default: str) -> CalendarInfo:
    return CalendarInfo(
        calendar_id=str(raw["id"]),
        name=str(raw.get("name") or ""),
        zone=zone,
        is_primary=raw["id"] == default,
        can_write=raw.get("canEdit") is not False,
    )


def _default_id(client: GraphClient, address: str, found: list[Json]) -> str:
    """The default calendar's id; asked for when the list does not mark it."""
    marked = [str(raw["id"]) for raw in found if raw.get("isDefaultCalendar") is True and raw.get("id")]
    if marked:
        return marked[0]
    path = f"/users/{segment(address)}/calendar"
    return str(client.get(Request("GET", path, {"$select": "id"}, label="calendars")).get("id") or "")


def _zone(client: GraphClient, address: str) -> str:
    """The mailbox's zone (a Windows name, or a custom one); UTC when we may not read it or it has no name."""
    answer = client.send(Request("GET", f"/users/{segment(address)}/mailboxSettings", label="calendars"))
    if isinstance(answer.error, AccessDenied | NotFound | Rejected):
        return "UTC"
    return zones.to_iana(str(answer.checked().body.get("timeZone") or "")) or "UTC"
