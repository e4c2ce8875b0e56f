"""Meeting mails: what Exchange sends when an organizer writes (there is no way to stop it), and the copies that land.

Every mail is a row of ``core.outbox``; the copy lands in the recipient's mailbox when that lives in this simulator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from calsync.simulator.core import Guest, Invitation, Mail
from calsync.simulator.graph import fields, rrules
from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.moments import Moment, in_zone
from calsync.simulator.graph.records import Event

if TYPE_CHECKING:
    from calsync.simulator.graph.store import GraphStore

TO_NEUTRAL = {"accepted": "accepted", "declined": "declined", "tentativelyAccepted": "tentative"}
TO_GRAPH = {neutral: own for own, neutral in TO_NEUTRAL.items()}


@dataclass(frozen=True, slots=True)
class Before:
    """What an event looked like before a write, as far as mails care."""

    props: Json
    attendees: frozenset[str]
    span: tuple[Moment, Moment]
    recurrence: Json | None

    @classmethod
    def of(cls, event: Event, on: date | None) -> Before:
        """A snapshot of the event or of one instance."""
        props = event.values(on)
        return cls(dict(props), frozenset(addresses(props)), event.span(on), event.recurrence)


def addresses(props: Json) -> list[str]:
    """The attendees' addresses, lower-case, the organizer left out."""
    organizer = props["organizer"]["emailAddress"]["address"].lower()
    found = [one["emailAddress"]["address"].lower() for one in props["attendees"]]
    return [address for address in found if address != organizer]


def announce_new(store: GraphStore, event: Event, *, by_person: bool) -> None:
    """A meeting was created: invite everybody."""
    if event.is_organizer():
        _send(store, event, None, "invitation", addresses(event.props), by_person=by_person)


def announce_change(store: GraphStore, event: Event, on: date | None, before: Before, *, by_person: bool) -> None:
    """A meeting was changed by its organizer: mail all, or only those who joined or left when nothing else changed."""
    if not event.is_organizer():
        return
    now = addresses(event.values(on))
    joined = [address for address in now if address not in before.attendees]
    left = sorted(before.attendees - set(now))
    _send(store, event, on, "cancellation", left, by_person=by_person)
    _send(store, event, on, "invitation", joined, by_person=by_person)
    if _is_meaningful(event, on, before):
        stay = [address for address in now if address in before.attendees]
        _send(store, event, on, "update", stay, by_person=by_person)
        if on is None:  # a change of a series mails once more for each exception
            for own in sorted(event.exceptions):
                _send(store, event, own, "update", stay, by_person=by_person)


def announce_end(store: GraphStore, event: Event, on: date | None, *, by_person: bool) -> None:
    """A meeting or one occurrence was deleted by its organizer: cancel it for everybody."""
    if event.is_organizer():
        _send(store, event, on, "cancellation", addresses(event.values(on)), by_person=by_person)


def announce_answer(store: GraphStore, event: Event, on: date | None, response: str, *, by_person: bool) -> None:
    """An attendee answered: tell the organizer."""
    organizer = event.props["organizer"]["emailAddress"]["address"].lower()
    _record(store, event, "response", organizer, by_person=by_person)
    answer = replace(
        invitation(event, on, "reply"), sender=event.mailbox.address, response=TO_NEUTRAL.get(response, "needsAction")
    )
    store.core.send_invitation(answer, organizer)


def _is_meaningful(event: Event, on: date | None, before: Before) -> bool:
    props = event.values(on)
    loud = set(fields.READERS) - fields.QUIET - {"attendees"}
    if any(props[name] != before.props[name] for name in loud):
        return True
    return event.span(on) != before.span or (on is None and event.recurrence != before.recurrence)


def _send(
    store: GraphStore, event: Event, on: date | None, kind: str, recipients: Iterable[str], *, by_person: bool
) -> None:
    letter: Invitation | None = None
    for recipient in recipients:
        _record(store, event, kind, recipient, by_person=by_person)
        letter = letter or invitation(event, on, "cancel" if kind == "cancellation" else "request")
        store.core.send_invitation(letter, recipient)


def _record(store: GraphStore, event: Event, kind: str, recipient: str, *, by_person: bool) -> None:
    sender = event.mailbox.address
    store.core.outbox.append(Mail(store.core.clock.now(), kind, sender, recipient, event.id, by_person))


def invitation(event: Event, on: date | None, method: str) -> Invitation:
    """The meeting, or one of its occurrences, in neutral words."""
    props, (start, end) = event.values(on), event.span(on)
    organizer, all_day = props["organizer"]["emailAddress"], props["isAllDay"]
    return Invitation(
        method=method,
        uid=event.uid,
        organizer=organizer["address"],
        organizer_name=organizer["name"],
        attendees=tuple(_guest(one) for one in props["attendees"]),
        subject=props["subject"] or "",
        body=props["body"],
        body_is_html=True,
        location=props["location"]["displayName"],
        start=start.wall.date() if all_day else start.wall,
        end=end.wall.date() if all_day else end.wall,
        start_zone="" if all_day else start.zone,
        end_zone="" if all_day else end.zone,
        recurrence=_lines(event) if on is None else None,
        original_start=None if on is None else _original(event, on, start),
        sender=event.mailbox.address,
        is_private=props["sensitivity"] != "normal",
    )


def _guest(attendee: Json) -> Guest:
    person = attendee["emailAddress"]
    response = TO_NEUTRAL.get(attendee["status"]["response"], "needsAction")
    return Guest(person["address"], person["name"], attendee["type"] == "optional", response)


def _lines(event: Event) -> tuple[str, ...] | None:
    if event.recurrence is None:
        return None
    gone = [event.original_start(on) for on in event.cancelled]
    return rrules.to_lines(event.recurrence, event.start, all_day=event.props["isAllDay"], cancelled=gone)


def _original(event: Event, on: date, start: Moment) -> datetime | date:
    """The original start in the zone in which the invitation names its start."""
    if event.props["isAllDay"]:
        return on
    born = event.start.at(event.original_start(on))
    return born.wall if born.zone == start.zone else in_zone(born.utc, start.zone)
