"""Which Graph path and method does what."""

from __future__ import annotations

from calsync.simulator.core import Core
from calsync.simulator.graph import listing, users
from calsync.simulator.graph.delta import DeltaRounds
from calsync.simulator.graph.errors import GraphError, bad_request, invalid_request, user_not_found
from calsync.simulator.graph.records import Calendar, Mailbox
from calsync.simulator.graph.requests import GraphRequest, Reply
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.graph.subscriptions import Subscriptions

RESPONSES = {"accept": "accepted", "tentativelyaccept": "tentativelyAccepted", "decline": "declined"}


class Routes:
    """Answers requests that are already authenticated and admitted."""

    def __init__(self, core: Core, store: GraphStore, subscriptions: Subscriptions) -> None:
        self._core = core
        self._store = store
        self._subscriptions = subscriptions
        self._delta = DeltaRounds(core.switches)

    def answer(self, request: GraphRequest) -> Reply:
        """The answer, or GraphError."""
        words = request.path
        if words[:1] == ["subscriptions"]:
            return self._subscriptions.answer(request)
        with self._core.lock:
            if words == ["me"] and request.user:
                return users.one_user(request, self._store.user(request.user))
            if words[:1] == ["me"]:
                raise bad_request("/me request is only valid with delegated authentication flow.")
            if words == ["users"]:
                _only(request, "GET")
                self._need(request, "User.Read.All")
                return users.list_users(request, self._store)
            if words[:1] == ["users"]:
                return self._of_user(request, words[1], words[2:])
        raise no_segment(words)

    def _of_user(self, request: GraphRequest, name: str, rest: list[str]) -> Reply:
        app = self._store.login.apps[request.app]
        if not app.reaches(self._store.user(name).address, self._store.login.other_domains):
            raise user_not_found(name)
        if not rest:
            _only(request, "GET")
            self._need(request, "User.Read.All")
            return users.one_user(request, self._store.user(name))
        mailbox = self._store.mailbox(name)
        if mailbox.denied:
            raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")
        head = rest[0].lower()
        if head == "mailboxsettings" and len(rest) <= 2:
            _only(request, "GET")
            self._need(request, "MailboxSettings.Read")
            return users.settings(mailbox, *rest[1:])
        self._need(request, *(("Calendars.Read",) if request.method == "GET" else ()), "Calendars.ReadWrite")
        if head == "calendars" and len(rest) == 1:
            _only(request, "GET", "POST")
            return users.calendars(request, self._store, mailbox)
        if head == "calendars":
            return self._of_calendar(request, mailbox, self._store.calendar(mailbox, rest[1]), rest[2:])
        if head == "calendar":
            return self._of_calendar(request, mailbox, mailbox.default, rest[1:])
        return self._events(request, mailbox, None, rest)

    def _need(self, request: GraphRequest, *roles: str) -> None:
        """Refuse an application that was granted none of these permissions; what a person delegated was looked at."""
        if not request.user and not self._store.login.apps[request.app].roles & set(roles):
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")

    def _of_calendar(self, request: GraphRequest, mailbox: Mailbox, calendar: Calendar, rest: list[str]) -> Reply:
        if rest:
            return self._events(request, mailbox, calendar, rest)
        _only(request, "GET")
        return users.one_calendar(mailbox, calendar)

    def _events(self, request: GraphRequest, mailbox: Mailbox, calendar: Calendar | None, rest: list[str]) -> Reply:
        head, owner, switches = rest[0].lower(), calendar or mailbox.default, self._core.switches
        if head == "calendarview" and [word.lower() for word in rest[1:]] == ["delta"]:
            _only(request, "GET")
            return self._delta.answer(request, owner)
        if head == "calendarview" and len(rest) == 1:
            _only(request, "GET")
            return listing.view(request, mailbox, owner, switches)
        if head != "events":
            raise no_segment(rest)
        if len(rest) > 1:
            return self._of_event(request, mailbox, rest[1], rest[2:])
        _only(request, "GET", "POST")
        if request.method == "GET":
            return listing.list_events(request, mailbox, calendar, switches)
        if not owner.can_edit:
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        event = self._store.create(mailbox, owner, request.body, by_person=False)
        reply = listing.one(request, event, None, switches, status=201)
        reply.headers["Location"] = f"{request.base}/v1.0/users/{mailbox.guid}/events/{reply.body['id']}"
        return reply

    def _of_event(self, request: GraphRequest, mailbox: Mailbox, event_id: str, rest: list[str]) -> Reply:
        match, store = request.headers.get("if-match", ""), self._store
        if rest:
            return self._action(request, mailbox, event_id, rest)
        _only(request, "GET", "PATCH", "DELETE")
        if request.method == "DELETE":
            store.delete(mailbox, event_id, by_person=False, if_match=match)
            return Reply(204)
        if request.method == "PATCH":
            event, on = store.update(mailbox, event_id, request.body, by_person=False, if_match=match)
        else:
            event, on = store.find(mailbox, event_id)
        return listing.one(request, event, on, self._core.switches)

    def _action(self, request: GraphRequest, mailbox: Mailbox, event_id: str, rest: list[str]) -> Reply:
        verb = rest[0].lower()
        if verb == "instances" and len(rest) == 1:
            _only(request, "GET")
            return listing.instances(request, *self._store.find(mailbox, event_id), self._core.switches)
        _only(request, "POST")
        if verb in RESPONSES:
            body = request.body if isinstance(request.body, dict) else {}
            send = body.get("sendResponse", body.get("SendResponse", True)) is not False
            self._store.respond(mailbox, event_id, RESPONSES[verb], send=send, by_person=False)
            return Reply(202)
        if verb == "cancel":
            self._cancel(mailbox, event_id)
            return Reply(202)
        if verb == "permanentdelete":
            self._store.delete(mailbox, event_id, by_person=False)
            return Reply(204)
        if verb in ("snoozereminder", "dismissreminder"):
            self._store.find(mailbox, event_id)
            return Reply(200)
        raise no_segment(rest)

    def _cancel(self, mailbox: Mailbox, event_id: str) -> None:
        event, _ = self._store.find(mailbox, event_id)
        if not event.is_organizer():
            message = "Your request can't be completed. You need to be an organizer to cancel a meeting."
            raise invalid_request(message)
        self._store.delete(mailbox, event_id, by_person=False)


def no_segment(words: list[str]) -> GraphError:
    """400 for a path that Graph does not have."""
    return bad_request(f"Resource not found for the segment '{words[0] if words else ''}'.")


def _only(request: GraphRequest, *methods: str) -> None:
    if request.method not in methods:
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
