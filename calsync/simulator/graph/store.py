"""The pretend tenant's events: finding, creating, changing and answering them, their indexes and the log of changes.

Holds the Python face that tests, benchmarks and pretend people use. Everything runs under ``core.lock``. How an event
changes lives in ``writing``, its looks on the wire in ``projection``, who gets mail in ``mail`` and ``landing``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from calsync.simulator.core import Core, Invitation
from calsync.simulator.graph import fields, ids, landing, mail, projection, splitting, writing
from calsync.simulator.graph.errors import (
    GraphError,
    Json,
    invalid_request,
    item_not_found,
    malformed_id,
    stale_change_key,
)
from calsync.simulator.graph.moments import UNSET, stamp
from calsync.simulator.graph.records import Calendar, Event, Exceptional, Mailbox
from calsync.simulator.graph.tenant import Tenant
from calsync.simulator.graph.writing import Change

if TYPE_CHECKING:
    from calsync.simulator.graph.oauth import Login
    from calsync.simulator.graph.subscriptions import Subscriptions

Listener = Callable[[Event, str], None]  # (event, created|updated|deleted)


class GraphStore(Tenant):
    """All mailboxes of the pretend tenant and what is in them.

    ``login`` (applications, tokens) and ``subscriptions`` are hung up here by the API, for holders of the store.
    """

    login: Login
    subscriptions: Subscriptions

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.listeners: list[Listener] = []
        core.deliver["graph"] = self.receive

    # --- events -------------------------------------------------------------------------------------------

    def find(self, mailbox: Mailbox, event_id: str) -> tuple[Event, date | None]:
        """The event of an id of either flavour, and the original date when the id is an instance's."""
        event = mailbox.items.get(event_id)
        if event is not None:
            return event, None
        try:
            master_id, on = ids.split_instance_id(event_id)
        except ValueError as error:
            raise malformed_id() from error
        event = mailbox.items.get(master_id)
        if event is None or on is None or not event.has_occurrence(on):
            raise item_not_found()
        return event, on

    def create(self, mailbox: Mailbox, calendar: Calendar, body: Any, *, by_person: bool) -> Event:
        """Create an event from a request's body; a meeting mails its guests."""
        change = writing.read_change(body)
        if (known := self._duplicate(mailbox, change)) is not None:
            return known
        event = self.insert(mailbox, calendar, change, uid="", props=self.own_props(mailbox))
        self.touch(event, "created")
        mail.announce_new(self, event, by_person=by_person)
        return event

    def _duplicate(self, mailbox: Mailbox, change: Change) -> Event | None:
        """The event that this transaction id made before, or the refusal that names it."""
        known = mailbox.by_transaction.get(change.transaction_id or "")
        if known is None:
            return None
        if known.deleted or self.core.switches.graph_duplicate_transaction_answers_400:
            message = (
                "Your request can't be completed. The TransactionId has already been used to create a different event."
            )
            extra = {"@event.existingEventId": known.id}
            raise GraphError(400, "ErrorDuplicateTransactionId", message, extra=extra)
        return known

    def own_props(self, mailbox: Mailbox) -> Json:
        """What says that the mailbox's owner made an event."""
        return {
            "isOrganizer": True,
            "organizer": {"emailAddress": {"name": mailbox.display_name, "address": mailbox.shown}},
            "responseStatus": {"response": "organizer", "time": UNSET},
        }

    def insert(self, mailbox: Mailbox, calendar: Calendar, change: Change, *, uid: str, props: Json) -> Event:
        """Make the record of a new event and index it; the caller announces it by ``touch``."""
        shape = writing.shape_of_new(change, self.core.switches)
        number, now = mailbox.next_number, self.core.clock.now()
        mailbox.next_number += 1
        frame, fixed = ids.event_frame(mailbox.guid, number), ids.immutable_frame(mailbox.guid, number)
        event = Event(
            mailbox=mailbox,
            calendar=calendar,
            frame=frame,
            immutable_frame=fixed,
            id=frame.whole(),
            immutable_id=fixed.whole(),
            uid=uid or ids.global_object_id(now, f"{mailbox.guid}/{number}"),
            created_at=now,
            modified_at=now,
            start=shape.start,
            end=shape.end,
            props={**fields.DEFAULTS, "location": fields.no_location(), "locations": []},
            recurrence=shape.recurrence,
            series=shape.series,
            extended=dict(change.extended),
            transaction_id=change.transaction_id,
        )
        event.props = writing.apply_create(event.props, change, seed=event.id) | props
        self._index(event)
        return event

    def update(
        self, mailbox: Mailbox, event_id: str, body: Any, *, by_person: bool, if_match: str = ""
    ) -> tuple[Event, date | None]:
        """Update an event or one occurrence; a meeting's organizer mails the guests."""
        event, on = self.find(mailbox, event_id)
        check_version(event, if_match)
        change, before = writing.read_change(body), mail.Before.of(event, on)
        self._unindex_extended(event)
        try:
            if on is None:
                writing.apply_update(event, change, self.core.switches)
            else:
                writing.apply_to_instance(event, on, change, self.core.switches)
        finally:
            self._index_extended(event)
        self.touch(event, "updated")
        mail.announce_change(self, event, on, before, by_person=by_person)
        return event, on

    def delete(self, mailbox: Mailbox, event_id: str, *, by_person: bool, if_match: str = "") -> None:
        """Delete an event or one occurrence; a meeting's organizer mails cancellations."""
        event, on = self.find(mailbox, event_id)
        check_version(event, if_match)
        mail.announce_end(self, event, on, by_person=by_person)
        if on is not None:
            self._unindex_extended(event)
            writing.cancel_occurrence(event, on)
            self._index_extended(event)
            self.touch(event, "updated")
            return
        self._remove(event)

    def _remove(self, event: Event) -> None:
        self._unindex_extended(event)
        for key in (event.id, event.immutable_id):
            event.mailbox.items.pop(key, None)
        event.calendar.events.pop(event.id, None)
        if event.mailbox.by_uid.get(event.uid) is event:
            del event.mailbox.by_uid[event.uid]
        event.deleted = True
        self.touch(event, "deleted")

    def respond(self, mailbox: Mailbox, event_id: str, response: str, *, send: bool, by_person: bool) -> None:
        """Answer an invitation: accepted, tentativelyAccepted or declined (which removes the copy)."""
        event, on = self.find(mailbox, event_id)
        if event.is_organizer():
            message = "Your request can't be completed. You can't respond to this meeting because you're the organizer."
            raise invalid_request(message)
        status = {"response": response, "time": stamp(self.core.clock.now())}
        shown = {"accepted": "busy", "tentativelyAccepted": "tentative"}.get(response, "free")
        answer = {"responseStatus": status, "showAs": shown}
        if on is None:
            event.props = event.props | answer
        else:
            own = event.exceptions.setdefault(on, Exceptional())
            own.props = own.props | answer
        if send:
            mail.announce_answer(self, event, on, response, by_person=by_person)
        if response == "declined":
            self.delete(mailbox, event_id, by_person=by_person)
        else:
            self.touch(event, "updated")

    def receive(self, letter: Invitation, recipient: str) -> None:
        """Land a meeting mail that came from anywhere."""
        landing.land(self, letter, recipient)

    # --- the Python face ----------------------------------------------------------------------------------

    def create_event(self, address: str, body: Json, *, by_person: bool = True, calendar_id: str = "") -> Json:
        """Create an event as a person would (body as in ``POST /events``); returns its full stored form."""
        with self.core.lock:
            mailbox = self.mailbox(address)
            event = self.create(mailbox, self.calendar(mailbox, calendar_id), body, by_person=by_person)
            return projection.stored_form(event, self.core.switches)

    def update_event(self, address: str, event_id: str, body: Json, *, by_person: bool = True) -> Json:
        """Change an event or occurrence as a person would; returns the full stored form of the event or series."""
        with self.core.lock:
            event, _ = self.update(self.mailbox(address), event_id, body, by_person=by_person)
            return projection.stored_form(event, self.core.switches)

    def delete_event(self, address: str, event_id: str, *, by_person: bool = True) -> None:
        """Delete an event or occurrence as a person would."""
        with self.core.lock:
            self.delete(self.mailbox(address), event_id, by_person=by_person)

    def split_series(self, address: str, master_id: str, at: date, **changes: Any) -> Json:
        """Split a series as a person does: it ends before the occurrence born on the day ``at``, and a new one with
        ``changes`` (as in ``PATCH``) goes on from there; returns the new one's full stored form.
        """
        with self.core.lock:
            tail = splitting.split(self, self.mailbox(address), master_id, at, changes)
            return projection.stored_form(tail, self.core.switches)

    def answer_event(self, address: str, event_id: str, response: str, *, by_person: bool = True) -> None:
        """Answer an invitation as a person would: accepted, tentativelyAccepted, declined."""
        with self.core.lock:
            self.respond(self.mailbox(address), event_id, response, send=True, by_person=by_person)

    def events(self, address: str, calendar_id: str = "") -> list[Json]:
        """Every single event and series of a calendar in full stored form (see ``projection.stored_form``)."""
        with self.core.lock:
            mailbox = self.mailbox(address)
            calendar = self.calendar(mailbox, calendar_id)
            return [projection.stored_form(event, self.core.switches) for event in calendar.events.values()]

    def expire_delta_tokens(self, address: str, calendar_id: str = "") -> None:
        """Forget every delta token of a calendar: the next use of one is answered 410."""
        with self.core.lock:
            mailbox = self.mailbox(address)
            self.calendar(mailbox, calendar_id).epoch += 1

    # --- bookkeeping --------------------------------------------------------------------------------------

    def touch(self, event: Event, kind: str) -> None:
        """Give the event a new version, log it and tell whoever listens. Call once per change, after it."""
        event.sequence = event.calendar.sequence = self.next_sequence()
        event.modified_at = self.core.clock.now()
        event.calendar.append(event)
        for listener in self.listeners:
            listener(event, kind)
        self.core.changed("graph", event.mailbox.address, event.calendar.id)

    def _index(self, event: Event) -> None:
        mailbox = event.mailbox
        mailbox.items[event.id] = mailbox.items[event.immutable_id] = event
        event.calendar.events[event.id] = event
        mailbox.by_uid.setdefault(event.uid, event)
        if event.transaction_id:
            mailbox.by_transaction[event.transaction_id] = event
        self._index_extended(event)

    def _index_extended(self, event: Event) -> None:
        for pair in event.extended.items():
            event.mailbox.by_extended.setdefault(pair, {})[event.id] = event

    def _unindex_extended(self, event: Event) -> None:
        for pair in event.extended.items():
            if found := event.mailbox.by_extended.get(pair):
                found.pop(event.id, None)


def check_version(event: Event, if_match: str) -> None:
    """Refuse when If-Match names another version; '' and * match all."""
    wanted = if_match.strip()
    if wanted in ("", "*"):
        return
    key = wanted.removeprefix("W/").strip('"')
    if key != event.change_key:
        raise stale_change_key()
