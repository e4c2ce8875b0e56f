"""One Calendar API call as it arrives and as it is answered: who calls, checked parameters, the handler, the answer.

Used for outer requests and for the parts of a batch alike. What a method does is in the room it is about; which
method a path means, and what it may be asked, says the discovery document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from calsync.simulator.google import calendars, discovery, freebusy, imports, listing, partial, wire, writing
from calsync.simulator.google.errors import (
    Refusal,
    bad_request,
    insufficient_scopes,
    invalid,
    invalid_credentials,
    login_required,
    not_found,
)
from calsync.simulator.google.moments import zone_info
from calsync.simulator.google.placing import Options
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.oauth import Grant, Tokens
    from calsync.simulator.google.store import GoogleStore

SERVICE = "/calendar/v3/"
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: raw path (still percent-encoded), raw query, lower-case header names, body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON or nothing, and the resource's version for the ETag header."""

    status: int
    body: bytes = b""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a handler needs."""

    store: GoogleStore
    caller: str
    path: dict[str, str]
    query: Fields
    body: Fields
    headers: Mapping[str, str]

    def calendar(self, *, writing: bool = False) -> Calendar:
        """The calendar in the path; 404 when it is not the caller's, 403 for writes to a read-only one."""
        found = self.store.calendar(self.path["calendarId"], caller=self.caller)
        if writing and found.read_only:
            message = "You need to have writer access to this calendar."
            raise Refusal(403, "requiredAccessLevel", message, domain="calendar")
        return found

    def options(self) -> Options:
        """The write options of the query and the If-Match header."""
        updates = self.query.get("sendUpdates") or ("all" if self.query.get("sendNotifications") else "none")
        return Options(
            send_updates=updates,
            conference_version=self.query.get("conferenceDataVersion", 0),
            supports_attachments=self.query.get("supportsAttachments", False),
            if_match=self.headers.get("if-match", ""),
        )

    def event(self, calendar: Calendar, record: Record) -> Fields:
        """The full resource as this request wants it."""
        zone, most = self.query.get("timeZone", ""), self.query.get("maxAttendees", 0)
        if zone and zone_info(zone) is None:
            raise invalid("Invalid time zone.", parameter="timeZone")
        return wire.event(calendar, record, zone=zone, max_attendees=most)


def _get(context: Context) -> Fields:
    calendar = context.calendar()
    record = writing.find(calendar, context.path["eventId"])
    if context.headers.get("if-none-match") == f'"{2 * record.updated_us}"':
        raise NotModified
    return context.event(calendar, record)


def _insert(context: Context) -> Fields:
    calendar = context.calendar(writing=True)
    return context.event(calendar, writing.insert(context.store, calendar, context.body, context.options()))


def _import(context: Context) -> Fields:
    calendar = context.calendar(writing=True)
    return context.event(calendar, imports.import_event(context.store, calendar, context.body, context.options()))


def _patch(context: Context) -> Fields:
    calendar = context.calendar(writing=True)
    event_id, options = context.path["eventId"], context.options()
    return context.event(calendar, writing.patch(context.store, calendar, event_id, context.body, options))


def _update(context: Context) -> Fields:
    calendar = context.calendar(writing=True)
    event_id, options = context.path["eventId"], context.options()
    return context.event(calendar, writing.update(context.store, calendar, event_id, context.body, options))


def _delete(context: Context) -> None:
    calendar = context.calendar(writing=True)
    writing.delete(context.store, calendar, context.path["eventId"], context.options())


def _move(context: Context) -> Fields:
    target = context.store.calendar(context.query["destination"], caller=context.caller)
    source = context.calendar(writing=True)
    moved = imports.move(context.store, source, target, context.path["eventId"], context.options())
    return context.event(target, moved)


def _list(context: Context) -> Fields:
    return listing.list_events(context.store, context.calendar(), context.query)


def _instances(context: Context) -> Fields:
    calendar = context.calendar()
    record = writing.find(calendar, context.path["eventId"])
    return listing.instances(calendar, record, context.query)


def _watch(context: Context) -> Fields:
    as_asked = context.path["calendarId"]
    channels = context.store.channels
    return channels.watch(context.calendar(), context.body, user=context.caller, as_asked=as_asked)


def _stop(context: Context) -> None:
    context.store.channels.stop(context.body, user=context.caller)


HANDLERS: dict[str, Callable[[Context], Fields | None]] = {
    "calendar.events.list": _list,
    "calendar.events.get": _get,
    "calendar.events.insert": _insert,
    "calendar.events.import": _import,
    "calendar.events.patch": _patch,
    "calendar.events.update": _update,
    "calendar.events.delete": _delete,
    "calendar.events.move": _move,
    "calendar.events.instances": _instances,
    "calendar.events.watch": _watch,
    "calendar.channels.stop": _stop,
    "calendar.freebusy.query": lambda c: freebusy.answer(c.store, c.body, caller=c.caller),
    "calendar.calendarList.list": lambda c: calendars.calendar_list(c.store, c.query, caller=c.caller),
    "calendar.calendarList.get": lambda c: calendars.entry(c.calendar()),
    "calendar.calendars.get": lambda c: calendars.resource(c.calendar()),
    "calendar.settings.list": lambda c: calendars.settings_list(c.store, c.query, caller=c.caller),
    "calendar.settings.get": lambda c: calendars.setting(c.store, c.path["setting"], caller=c.caller),
    "calendar.colors.get": lambda _: calendars.colors(),
}


class NotModified(Exception):
    """304: the version in If-None-Match is the present one."""


class WrongAnswer(AssertionError):
    """Our own answer contradicts the discovery document: a defect of the simulator."""


def answer(store: GoogleStore, tokens: Tokens, asked: Asked) -> Answer:
    """Answer one call; every refusal becomes its documented body."""
    try:
        return _answered(store, tokens, asked)
    except Refusal as refusal:
        return Answer(refusal.code, encoded(refusal.body()))
    except NotModified:
        return Answer(304)


def encoded(body: Any) -> bytes:
    """JSON on the wire; not indented, for speed, though Google indents unless told otherwise."""
    return ENCODER.encode(body).encode()


def _answered(store: GoogleStore, tokens: Tokens, asked: Asked) -> Answer:
    asked = _overridden(asked)
    segments = [unquote(segment) for segment in asked.path.removeprefix(SERVICE).split("/")]
    found = discovery.route(asked.method, segments)
    handler = HANDLERS.get(found[0].id) if found else None
    if found is None or handler is None:
        raise not_found()
    method, path = found
    grant = authorised(tokens, asked.headers)
    if not method.scopes & grant.scopes:
        raise insufficient_scopes()
    query = discovery.read_query(method, parse_qs(asked.query, keep_blank_values=True))
    unknown = store.core.switches.google_unknown_fields_answer_400
    body = _read_body(method, asked.body, unknown=unknown)
    with store.core.lock:
        store.quota.spend(grant.user)
        context = Context(store, _caller(store, grant), path, query, body, asked.headers)
        result = handler(context)
        return _finished(store, method, query, result)


def _finished(store: GoogleStore, method: discovery.Method, query: Fields, result: Fields | None) -> Answer:
    if result is None:
        return Answer(204)
    if store.core.switches.validate_answers:
        wrong = discovery.complaints(method.response, result, unknown=True, nulls=False)
        if wrong:
            raise WrongAnswer("; ".join(wrong))
    body = partial.cut(result, partial.parse(query["fields"])) if query.get("fields") else result
    return Answer(200, encoded(body), str(result.get("etag", "")))


def _overridden(asked: Asked) -> Asked:
    """A long GET arrives as POST with X-HTTP-Method-Override and its query as a form body."""
    wanted = asked.headers.get("x-http-method-override", "").upper()
    if asked.method != "POST" or wanted != "GET":
        return asked
    query = asked.query or asked.body.decode()
    return Asked("GET", asked.path, query, asked.headers)


def authorised(tokens: Tokens, headers: Mapping[str, str]) -> Grant:
    """Who calls; 401 without, or with a dead token."""
    header = headers.get("authorization", "")
    if not header:
        raise login_required()
    grant = tokens.grant_of(header)
    if grant is None:
        raise invalid_credentials()
    return grant


def _caller(store: GoogleStore, grant: Grant) -> str:
    if grant.user not in store.users:
        raise Refusal(403, "notACalendarUser", "The user must be signed up for Google Calendar.", domain="calendar")
    return grant.user


def _read_body(method: discovery.Method, raw: bytes, *, unknown: bool) -> Fields:
    """The JSON body, checked against the method's schema."""
    if not method.request or method.http == "GET":
        return {}
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise Refusal(400, "parseError", "This API does not support parsing form-encoded input.") from None
    if not isinstance(body, dict):
        raise bad_request("Parse Error")
    wrong = discovery.complaints(method.request, body, unknown=unknown, nulls=True)
    if wrong:
        raise bad_request(wrong[0])
    return body
