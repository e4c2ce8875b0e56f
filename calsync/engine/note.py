"""The guest note: the guest list of a meeting as text in the body of a copy, because copies carry no guests.

The note stands between two marker lines, so that text which a person adds below it is still the person's own.
What lives here: writing, finding and removing the note. What does not: which copies get one (``transform``).
"""

from __future__ import annotations

from calsync.engine.events import Event, Field, FieldValue, Guest
from calsync.engine.inherit import map_fields

MARKER = "--- Guests (kept by CalSync; changes to this list do not travel) ---"
END_MARKER = "--- End of the guest list ---"
MOST_GUESTS = 50


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


def with_note(body: str, note: str) -> str:
    """``body`` with the note below it; an older note is replaced."""
    own = without_note(body)
    if not note:
        return own
    return f"{own}\n\n{note}" if own else note


def without_note(body: str) -> str:
    """``body`` without any guest note. Without an end marker, all from the marker line on is taken for the note."""
    lines = body.split("\n")
    while (begin := _line_of(MARKER, lines)) is not None:
        end = _line_of(END_MARKER, lines[begin:])
        below = [] if end is None else lines[begin + end + 1 :]
        gap = 1 if begin and not lines[begin - 1].strip() else 0  # the empty line that ``with_note`` put in
        lines = [*lines[: begin - gap], *below]
    return "\n".join(lines)


def strip_note(event: Event) -> Event:
    """The event without guest notes, in its body and in the bodies of its exceptions."""

    def bare(field: Field, value: FieldValue) -> FieldValue:
        return without_note(value) if field is Field.BODY and isinstance(value, str) else value

    return map_fields(event, bare)


def _line_of(marker: str, lines: list[str]) -> int | None:
    return next((index for index, line in enumerate(lines) if line.strip() == marker), None)


def _guest(guest: Guest) -> str:
    who = f"{guest.name} <{guest.address}>" if guest.name else guest.address
    return f"{who} (optional)" if guest.optional else who
