"""The note of a copy: what it cannot carry as fields, as text in its body: the guest list and the link for joining.

The guest list stands between two marker lines and the link in a line of its own form, so that text which a person adds
around them is still the person's own.
What lives here: writing, finding and removing the note. What does not: which copies get one (``transform``).
"""

from __future__ import annotations

import re

from calsync.engine.events import Event, Field, FieldValue, Guest
from calsync.engine.inherit import map_fields

MARKER = "--- Guests (kept by CalSync; changes to this list do not travel) ---"
END_MARKER = "--- End of the guest list ---"
MOST_GUESTS = 50
JOIN = "Join online: {} (kept by CalSync)"
_JOIN_LINE = re.compile(r"\s*Join online: \S+ \(kept by CalSync\)")
NEAR = 4000
"""Signs of a body that surely reach every platform: a link further down may be cut off, and is told once more."""


def guest_note(event: Event) -> str:
    """The organiser and the guests as text, marker lines included; '' for an event that its owner made alone.

    At most 50 guests are listed; responses are left out, so that an answer does not cause a write.
    """
    if not event.guests and (event.organizes or not event.organizer):
        return ""
    organizer = [f"Organizer: {event.organizer}"] if event.organizer else []
    guests = [f"- {_guest(guest)}" for guest in event.guests[:MOST_GUESTS]]
    more = len(event.guests) - MOST_GUESTS
    rest = [f"and {more} more"] if more > 0 else []
    return "\n".join([MARKER, *organizer, *guests, *rest, END_MARKER])


def note_for(event: Event) -> str:
    """All that a copy of the event says in its note; '' for nothing. A link that the body shows is not repeated."""
    shown = not event.join or event.join in event.content.body[:NEAR]
    lines = ([] if shown else [JOIN.format(event.join)]) + ([guests] if (guests := guest_note(event)) else [])
    return "\n".join(lines)


def with_note(body: str, note: str) -> str:
    """``body`` with the note below it; an older note is replaced."""
    own = without_note(body)
    if not note:
        return own
    return f"{own}\n\n{note}" if own else note


def without_note(body: str) -> str:
    """``body`` without any note. Without an end marker, all from the marker line on is taken for the guest list."""
    return _parted(body)[0]


def note_in(body: str) -> str:
    """The note that stands in ``body``, '' when there is none."""
    return _parted(body)[1]


def _parted(body: str) -> tuple[str, str]:
    """A body without its note, and the note."""
    lines, note = body.split("\n"), list[str]()
    while (span := _first_part(lines)) is not None:
        begin, end = span
        gap = 1 if begin and not lines[begin - 1].strip() else 0  # the empty line that ``with_note`` put in
        note += lines[begin:end]
        lines = [*lines[: begin - gap], *lines[end:]]
    return "\n".join(lines), "\n".join(line.strip() for line in note)


def _first_part(lines: list[str]) -> tuple[int, int] | None:
    """Where the first part of a note begins and ends."""
    begin = next((at for at, line in enumerate(lines) if line.strip() == MARKER or _JOIN_LINE.fullmatch(line)), None)
    if begin is None or lines[begin].strip() != MARKER:
        return None if begin is None else (begin, begin + 1)
    end = next((at for at in range(begin, len(lines)) if lines[at].strip() == END_MARKER), len(lines) - 1)
    return begin, end + 1


def strip_note(event: Event) -> Event:
    """The event without guest notes, in its body and in the bodies of its exceptions."""

    def bare(field: Field, value: FieldValue) -> FieldValue:
        return without_note(value) if field is Field.BODY and isinstance(value, str) else value

    return map_fields(event, bare)


def _guest(guest: Guest) -> str:
    who = f"{guest.name} <{guest.address}>" if guest.name else guest.address
    return f"{who} (optional)" if guest.optional else who
