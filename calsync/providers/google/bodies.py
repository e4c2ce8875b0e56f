"""The engine's values as bodies of Google's writes. Pure.

What lives here: insert bodies, and PATCH bodies that hold differences only. What does not: which request carries them.
Guests, conference data, reminders and colours are never written.
"""

from __future__ import annotations

from typing import Any

from calsync.engine import recurrence, zones
from calsync.engine.events import (
    Content,
    Event,
    Field,
    OccurrenceKey,
    Platform,
    Recurrence,
    Sensitivity,
    ShowAs,
    Timed,
    When,
)
from calsync.engine.recurrence import apply_override, same_span
from calsync.engine.traits import Traits
from calsync.providers import markup, text
from calsync.providers.google.mapping import MARKER, body_of, event_id
from calsync.providers.google.times import at_least, to_wire


def _every_rule(_: Recurrence) -> bool:
    """Google takes every RFC 5545 rule from DAILY to YEARLY, several rules and RDATE included."""
    return True


LONGEST = {Field.TITLE: 1024, Field.BODY: 8192}
"""UTF-16 units; Google publishes no limits, these are what its clients know."""


def _fitted(field: Field, words: str, after: str) -> str:
    """As much of a text as a Google event holds, with ``after`` still to come below it."""
    longest = LONGEST.get(field)
    if longest is None or 6 * (text.units(words) + text.units(after)) <= longest:  # escaped, a sign takes six at most
        return words
    if field is not Field.BODY:
        return text.shortened(words, fits=lambda part: text.units(part) <= longest)
    return text.shortened(words, fits=lambda part: _plain_length(part + after) <= longest, mark=text.LONG_MARK)


def _plain_length(body: str) -> int:
    return text.units(description_of(body))


TRAITS = Traits(
    platform=Platform.GOOGLE,
    show_as={
        ShowAs.FREE: ShowAs.FREE,
        ShowAs.TENTATIVE: ShowAs.TENTATIVE,
        ShowAs.BUSY: ShowAs.BUSY,
        ShowAs.OUT_OF_OFFICE: ShowAs.BUSY,
        ShowAs.ELSEWHERE: ShowAs.BUSY,
    },
    sensitivities={
        Sensitivity.NORMAL: Sensitivity.NORMAL,
        Sensitivity.PERSONAL: Sensitivity.PRIVATE,
        Sensitivity.PRIVATE: Sensitivity.PRIVATE,
        Sensitivity.CONFIDENTIAL: Sensitivity.PRIVATE,
    },
    expressible=_every_rule,
    shortest_minutes=1,
    neighbour_bound=False,
    fit=_fitted,
)
"""What Google Calendar holds."""

Body = dict[str, Any]
"""A JSON object to be sent."""


def insert_body(event: Event, *, key: str) -> Body:
    """A whole new event; cancelled occurrences travel as EXDATE, exceptions do not travel here."""
    content = event.content
    body: Body = {"id": event_id(key), "extendedProperties": {"private": {MARKER: key}}}
    body.update(to_wire(_sendable(content.when)))
    body.update({name: value for name, value in _texts(content).items() if value})
    transparency, status = _weight(content.show_as)
    body.update({"transparency": transparency, "status": status, "visibility": _visibility(content.sensitivity)})
    if event.recurrence is not None:
        body["recurrence"] = recurrence_lines(event)
    return body


def recurrence_lines(event: Event) -> list[str]:
    """RRULE, RDATE and EXDATE lines. A PATCH replaces the whole list, hence EXDATEs always go along."""
    if event.recurrence is None:
        return []
    return recurrence.to_lines(event.recurrence, start=event.content.when, cancelled=event.cancelled)


def master_patch(before: Event, wanted: Event, *, spare_lines: bool = True) -> Body:
    """What a PATCH of a single event or a master must say; exceptions and cancelled occurrences left aside.

    ``spare_lines`` False writes the recurrence lines even when the rules are equal.
    """
    body = content_patch(before.content, wanted.content)
    if wanted.recurrence is None:
        return body | ({"recurrence": None} if before.recurrence is not None else {})
    if spare_lines and _same_rules(before, wanted) and not _moves_lines(before.content.when, wanted.content.when):
        return body
    was = before.content.when
    return body | to_wire(_sendable(wanted.content.when), was=was) | {"recurrence": recurrence_lines(wanted)}


def _same_rules(before: Event, wanted: Event) -> bool:
    if before.recurrence is None or wanted.recurrence is None:
        return before.recurrence is wanted.recurrence
    return before.recurrence == wanted.recurrence or recurrence.equivalent(
        before.recurrence, wanted.recurrence, start_a=before.content.when, start_b=wanted.content.when
    )


def _moves_lines(before: When, wanted: When) -> bool:
    """Whether UNTIL and EXDATE must be told anew because the start, its zone or its kind differs."""
    return not _same_when(before, wanted)


def content_patch(before: Content, wanted: Content) -> Body:
    """The fields of ``wanted`` that differ from ``before``, as Google would see them."""
    body: Body = {}
    # Where the words are equal nothing is written: whatever formatting stands there stays.
    words = {name: getattr(wanted, field) for name, field in _TEXTS.items()}
    had = {name: getattr(before, field) for name, field in _TEXTS.items()}
    texts = _texts(wanted)
    body.update({name: texts[name] for name in words if not _same_text(had[name], words[name])})
    if not _same_when(before.when, wanted.when):
        body.update(to_wire(_sendable(wanted.when), was=before.when))
    if _weight(before.show_as) != _weight(wanted.show_as):
        body["transparency"], body["status"] = _weight(wanted.show_as)
    if _visibility(before.sensitivity) != _visibility(wanted.sensitivity):
        body["visibility"] = _visibility(wanted.sensitivity)
    return body


def whole_body(content: Content) -> Body:
    """Everything of one occurrence, for one that was cancelled: a status other than cancelled brings it back."""
    transparency, status = _weight(content.show_as)
    shown = {"transparency": transparency, "status": status, "visibility": _visibility(content.sensitivity)}
    return {**_texts(content), **to_wire(_sendable(content.when), was=content.when), **shown}


_TEXTS = {"summary": "title", "description": "body", "location": "location"}


def _texts(content: Content) -> dict[str, str]:
    body = description_of(content.body, content.markup)
    return {"summary": text.one_line(content.title), "description": body, "location": text.one_line(content.location)}


def _same_text(a: str, b: str) -> bool:
    return a == b or text.normalised(a) == text.normalised(b)


def _same_when(before: When, wanted: When) -> bool:
    wanted = _sendable(wanted)
    if isinstance(before, Timed) and isinstance(wanted, Timed):
        return same_span(before, wanted) and zones.same(before.zone, wanted.zone)
    return before == wanted


def _sendable(when: When) -> When:
    return at_least(when, minutes=TRAITS.shortest_minutes)


def description_of(body: str, formatted: str = "") -> str:
    """A description that is read back as ``body``: formatted as long as that fits, else plain, or escaped when its
    words look like HTML.
    """
    body = text.normalised(body)
    if formatted and text.units(rich := markup.written(body, formatted)) <= LONGEST[Field.BODY]:
        return rich if rich != markup.to_html(body) else description_of(body)
    return body if body_of(body).text == body else markup.to_html(body)


def _weight(show_as: ShowAs) -> tuple[str, str]:
    """``transparency`` and ``status``."""
    held = TRAITS.show_as[show_as]
    return (
        "transparent" if held is ShowAs.FREE else "opaque",
        "tentative" if held is ShowAs.TENTATIVE else "confirmed",
    )


def _visibility(sensitivity: Sensitivity) -> str:
    return "private" if TRAITS.sensitivities[sensitivity] is Sensitivity.PRIVATE else "default"


def occurrence_content(event: Event, key: OccurrenceKey) -> Content:
    """What one occurrence holds: inherited, or as its exception says."""
    return apply_override(event.content, key, event.exceptions.get(key, {}))
