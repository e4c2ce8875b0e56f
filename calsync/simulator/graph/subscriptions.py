"""Subscriptions: what may be subscribed and for how long, the real validation handshake, renewal, lifecycle."""

from __future__ import annotations

import contextlib
import http.client
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from calsync.simulator.core import Core
from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import GraphError, bad_request
from calsync.simulator.graph.moments import parse_date_time
from calsync.simulator.graph.notifications import LIFECYCLE, Bell, Subscription
from calsync.simulator.graph.records import Event, Mailbox
from calsync.simulator.graph.requests import METADATA, GraphRequest, Reply
from calsync.simulator.graph.store import GraphStore

LONGEST = timedelta(minutes=10_080)
SHORTEST = timedelta(minutes=45)
MAX_STATE = 128
MAX_PER_MAILBOX = 1000
CHANGES = ("created", "updated", "deleted")


class Subscriptions:
    """All subscriptions of the tenant."""

    def __init__(self, core: Core, store: GraphStore) -> None:
        self._core = core
        self._store = store
        self._live: dict[str, Subscription] = {}
        self._by_mailbox: dict[str, dict[str, Subscription]] = {}
        self._count = 0
        self._bell = Bell(core, store.tenant_id)
        store.listeners.append(self.event_changed)
        store.subscriptions = self

    # --- requests -----------------------------------------------------------------------------------------

    def answer(self, request: GraphRequest) -> Reply:
        """Everything under ``/subscriptions``. Takes the lock itself: the handshake must happen outside it."""
        method, rest = request.method, request.path[1:]
        if not rest and method == "POST":
            return self._create(request)
        with self._core.lock:
            self._drop_expired()
            if not rest and method == "GET":
                live = [one.on_wire() for one in self._live.values() if one.app == request.app]
                return Reply(200, {"@odata.context": f"{METADATA}subscriptions", "value": live})
            found = self._live.get(rest[0]) if rest else None
            if found is None or found.app != request.app:
                raise GraphError(404, "ResourceNotFound", "The object was not found.")
            if rest[1:] == ["reauthorize"] and method == "POST":
                return Reply(204)
            return self._one(request, found)

    def _one(self, request: GraphRequest, found: Subscription) -> Reply:
        context = {"@odata.context": f"{METADATA}subscriptions/$entity"}
        if request.method == "GET":
            return Reply(200, context | found.on_wire())
        if request.method == "DELETE":
            self._forget(found)
            return Reply(204)
        if request.method != "PATCH":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        body = request.body if isinstance(request.body, dict) else {}
        if unknown := set(body) - {"expirationDateTime", "notificationUrl", "@odata.type"}:
            raise invalid(f"The property '{sorted(unknown)[0]}' cannot be updated.")
        found.expires_at = self._expiry(body.get("expirationDateTime"))
        return Reply(200, context | found.on_wire())

    def _create(self, request: GraphRequest) -> Reply:
        with self._core.lock:
            self._drop_expired()
            wanted = self._read(request)
            self._check_room(wanted)
        for url in (wanted.url, wanted.lifecycle_url):
            if url:
                self._shake_hands(wanted, url)
        with self._core.lock:
            self._live[wanted.id] = wanted
            self._by_mailbox.setdefault(wanted.mailbox.address, {})[wanted.id] = wanted
        return Reply(201, {"@odata.context": f"{METADATA}subscriptions/$entity", **wanted.on_wire()})

    def _read(self, request: GraphRequest) -> Subscription:
        body = request.body if isinstance(request.body, dict) else {}
        for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(f"The property '{name}' is required.")
        if body.get("includeResourceData"):
            raise GraphError(501, "NotImplemented", "Rich notifications are not available here.")
        state = body.get("clientState")
        if state is not None and (not isinstance(state, str) or len(state) > MAX_STATE):
            raise invalid(f"The clientState must be a text of at most {MAX_STATE} characters.")
        mailbox, calendar_id = self._target(body["resource"])
        self._count += 1
        return Subscription(
            id=ids.stable_uuid("subscription", str(self._count)),
            app=request.app,
            mailbox=mailbox,
            calendar_id=calendar_id,
            resource=body["resource"],
            changes=_changes(body["changeType"]),
            change_type=body["changeType"],
            url=_checked_url(body["notificationUrl"]),
            lifecycle_url=_checked_url(body["lifecycleNotificationUrl"])
            if body.get("lifecycleNotificationUrl")
            else "",
            state=state,
            expires_at=self._expiry(body["expirationDateTime"]),
            immutable=request.prefer.immutable,
        )

    def _target(self, resource: str) -> tuple[Mailbox, str]:
        words = resource.strip("/").split("/")
        if words[0].lower() == "me":
            raise bad_request("/me request is only valid with delegated authentication flow.")
        if len(words) < 3 or words[0].lower() != "users" or words[-1].lower() != "events":
            raise invalid(f"Unsupported resource '{resource}'.")
        mailbox = self._store.mailbox(words[1])
        if len(words) == 5 and words[2].lower() == "calendars":
            return mailbox, self._store.calendar(mailbox, words[3]).id
        if len(words) != 3:
            raise invalid(f"Unsupported resource '{resource}'.")
        return mailbox, ""

    def _expiry(self, text: Any) -> datetime:
        """The wanted end: raised to 45 minutes, refused beyond seven days or in the past."""
        parsed = parse_date_time(text) if isinstance(text, str) else None
        if parsed is None:
            raise invalid("The property 'expirationDateTime' is not a date and time.")
        wanted = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        now = self._core.clock.now()
        if wanted <= now:
            raise invalid("Subscription expiration must be in the future.")
        if wanted > now + LONGEST:
            minutes = int(LONGEST.total_seconds() // 60)
            raise invalid(f"Subscription expiration can only be {minutes} minutes in the future.")
        return max(wanted, now + SHORTEST)

    def _check_room(self, wanted: Subscription) -> None:
        beside = self._by_mailbox.get(wanted.mailbox.address, {})
        if len(beside) >= MAX_PER_MAILBOX:
            raise GraphError(403, "Forbidden", "The mailbox has too many active subscriptions.")
        for other in beside.values():
            same = (other.app, other.resource, other.change_type, other.url)
            if same == (wanted.app, wanted.resource, wanted.change_type, wanted.url):
                raise GraphError(409, "Conflict", f"A subscription with ID {other.id} already exists.")

    def _shake_hands(self, wanted: Subscription, url: str) -> None:
        token = f"Validation: Testing client application reachability for subscription Request-Id: {wanted.id}"
        answer = _ask_to_echo(url, token)
        if answer is None:
            raise GraphError(
                400, "ValidationError", "Subscription validation request failed. The underlying connection was closed."
            )
        status, kind, body = answer
        if status != 200 or not kind.lower().startswith("text/plain") or body != token.encode():
            raise GraphError(
                400,
                "ValidationError",
                "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation "
                "request.",
            )

    # --- what happens by itself ---------------------------------------------------------------------------

    def event_changed(self, event: Event, kind: str) -> None:
        """Notify every subscription that covers the event; an occurrence's change is the master's ``updated``."""
        if not self._core.switches.notifications:
            return
        now = self._core.clock.now()
        for found in self._by_mailbox.get(event.mailbox.address, {}).values():
            if found.expires_at > now and kind in found.changes and found.calendar_id in ("", event.calendar.id):
                self._bell.ring(found, event, kind)

    def lifecycle(self, subscription_id: str, kind: str) -> None:
        """Send a lifecycle message: missed, subscriptionRemoved (which also ends it) or reauthorizationRequired."""
        if kind not in LIFECYCLE:
            raise ValueError(f"{kind!r} is not one of {', '.join(LIFECYCLE)}")
        with self._core.lock:
            found = self._live[subscription_id]
            if kind == "subscriptionRemoved":
                self._forget(found)
            self._bell.lifecycle(found, kind)

    def listed(self, address: str = "") -> list[Subscription]:
        """Live subscriptions, of one mailbox or of all."""
        with self._core.lock:
            self._drop_expired()
            return [one for one in self._live.values() if not address or one.mailbox.address == address.lower()]

    def _forget(self, found: Subscription) -> None:
        found.ended = True
        self._live.pop(found.id, None)
        self._by_mailbox.get(found.mailbox.address, {}).pop(found.id, None)

    def _drop_expired(self) -> None:
        now = self._core.clock.now()
        for found in [one for one in self._live.values() if one.expires_at <= now]:
            self._forget(found)


def invalid(message: str) -> GraphError:
    """400 of the subscription service."""
    return GraphError(400, "InvalidRequest", message)


def _changes(text: str) -> frozenset[str]:
    words = frozenset(word.strip().lower() for word in text.split(","))
    if not words <= set(CHANGES):
        raise invalid(f"The value '{text}' of changeType is not supported.")
    return words


def _checked_url(url: Any) -> str:
    """Only https is called; plain http is let through to this machine, where tests and demos listen."""
    parts = urlsplit(url if isinstance(url, str) else "")
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise invalid("The notification URL must be an absolute https URL.")
    return str(url)


def _ask_to_echo(url: str, token: str) -> tuple[int, str, bytes] | None:
    """POST the validation token; (status, content type, body), or None without an answer within ten seconds."""
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    target = f"{parts.path or '/'}?{query}validationToken={quote(token, safe='')}"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with contextlib.closing(kind(parts.netloc, timeout=10)) as connection:
        try:
            connection.request("POST", target, body=b"", headers={"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        except (OSError, http.client.HTTPException):
            return None
