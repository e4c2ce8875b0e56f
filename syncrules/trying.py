"""Trying rules on an event that somebody holds in hand: nothing is stored, nothing is synced.

What lives here: reading the event in any of three forms, the verdict, and what the other side would show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from calsync.engine.events import Event, Platform
from calsync.engine.masking import masked
from calsync.engine.rules.book import Verdict
from calsync.engine.rules.facts import Topology
from calsync.engine.treatment import Passage
from calsync.providers.base import Mailbox
from calsync.providers.google import mapping as google
from calsync.providers.graph import mapping as graph
from calsync.providers.ics import NotAnEvent, read_event
from syncrules.compile import rulebook_for
from syncrules.facts import Directory

MAX_TEXT = 1_000_000


class CannotTry(ValueError):
    """The text is no event that rules can be tried on; the message tells a person why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the rules said, and the copy that would stand on the other side; None when there would be none now."""

    verdict: Verdict
    source: Platform
    target: Platform
    shown: Event | None


def try_rules(
    *, text: str, person: User, now: datetime, colleague: User | None = None, source: Platform | None = None
) -> Tried:
    """What the person's rules say about the event in ``text``: iCalendar, Graph JSON or Google JSON.

    With a ``colleague``, about the copy in that colleague's calendar. ``source`` says where the event is; needed for
    iCalendar only, which else counts as made in Outlook. Raises CannotTry.
    """
    event, read_from = _read(text, person=person)
    source = source or read_from or Platform.OUTLOOK
    target = next(other for other in Platform if other is not source)
    ids = [person.pk] if colleague is None else [person.pk, colleague.pk]
    facts = Directory.of_events([event], person_ids=ids).facts(
        event,
        person_id=person.pk,
        owner_id=person.pk,
        source=source,
        target=target,
        now=now,
        topology=Topology.OWN if colleague is None else Topology.COLLEAGUES,
        colleague_id=colleague.pk if colleague else None,
    )
    verdict = rulebook_for([person.pk]).decide(facts, person_id=person.pk)
    travels = verdict.treatment.passage is Passage.SYNC
    return Tried(verdict, source, target, masked(event, verdict.treatment.details) if travels else None)


def _read(text: str, *, person: User) -> tuple[Event, Platform | None]:
    if len(text) > MAX_TEXT:
        raise CannotTry("The text is longer than a million characters.")
    if text.lstrip().startswith("{"):
        return _read_json(text, person=person)
    try:
        return read_event(text, address=person.email, zone=person.time_zone), None
    except NotAnEvent as error:
        raise CannotTry(str(error)) from None


def _read_json(text: str, *, person: User) -> tuple[Event, Platform]:
    try:
        raw = json.loads(text)
    except ValueError:
        raise CannotTry("The text begins like JSON and is none.") from None
    if not isinstance(raw, Mapping) or "start" not in raw:
        raise CannotTry("The JSON holds no event: start is missing.")
    if "subject" in raw or "isAllDay" in raw or "@odata.etag" in raw:
        return _read_graph(dict(raw), person=person), Platform.OUTLOOK
    try:
        return google.event_of(dict(raw), zone=person.time_zone, address=person.email), Platform.GOOGLE
    except ValueError as error:
        raise CannotTry(f"Google's event cannot be read ({type(error).__name__}).") from None


def _read_graph(raw: dict[str, object], *, person: User) -> Event:
    mailbox = Mailbox(address=person.email, calendar_id="", zone=person.time_zone)
    read = graph.series_item(raw, exceptions=(), cancelled=(), mailbox=mailbox) if graph.is_series(raw) else None
    item = read or graph.single_item(raw, mailbox=mailbox)
    if item.event is None:
        raise CannotTry(item.problem or "The event is cancelled.")
    return item.event
