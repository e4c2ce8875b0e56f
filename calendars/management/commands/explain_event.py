"""Tell in plain words what happened to one event, when and why."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from accounts.trail import record
from calendars.explain import Explanation, Found, PlaceStory, Reason, explain_event, find_events, unreadable
from calendars.explain.story import MASKED
from calendars.management.scope import UsageError
from calendars.selectors import may_see_content

HELP = """Tell what one event is, where it stands and why not elsewhere, what happened to it, and what happens next.

ID is the number of an event of CalSync, the event's id at Google or Outlook, or its iCalendar UID. Times are told in
the zone of the event's owner. Title, text, place and guests are masked; --as names an operator, and shows them to
the owner, and to people with a right to this event whose clearance covers the calendar's level and its sensitivity.

exit code 0   told      2   a wrong call: nothing or several things have this ID (they are listed)

  manage.py explain_event 12
  manage.py explain_event 12 --as ada@example.org --json"""

NOT_CLEARED = "is not cleared for its content: that takes a role that reaches its owner, and the clearance."


class Command(BaseCommand):
    """``manage.py explain_event``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to explain, to whom, and how."""
        parser.add_argument("id", metavar="ID", help="a number, a provider's event id, or an iCalendar UID")
        parser.add_argument("--as", dest="operator", metavar="EMAIL", help="who reads this: decides about content")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, explain, print."""
        operator = _operator(options["operator"])
        found = _one(options["id"].strip())
        cleared = operator is not None and may_see_content(operator, found.event)
        now = timezone.now()
        story = explain_event(found.event, now=now, cleared=cleared)
        if cleared and operator is not None:
            # Nobody at a shell has proven to be this person, not even the owner: the trail names the shell's user, too.
            record("content.seen", target=found.event, now=now, shown_as=operator.email)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found, story), indent=2))
            return
        refusal = f" {operator} {NOT_CLEARED}" if operator is not None and not cleared else ""
        self.stdout.write("\n".join(as_text(found, story, refusal=refusal)))


def _operator(email: str | None) -> User | None:
    if email is None:
        return None
    person = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise UsageError(f"Nobody here has the address {email}.")
    return person


def _one(reference: str) -> Found:
    """The event that is meant; every other case is a sentence of its own."""
    found = find_events(reference)
    if len(found) == 1:
        return found[0]
    if found:
        listed = "; ".join(f"{one.event.pk} of {one.event.owner} ({one.matched})" for one in found)
        raise UsageError(f"Several events have this ID. Choose one by its number: {listed}.")
    noted = unreadable(reference)
    if noted:
        raise UsageError(f"CalSync keeps no event of this ID, from the {noted[-1].calendar}: {noted[-1].text}")
    raise UsageError("No event has this number, provider's id or iCalendar UID: it was never read, or is cleaned up.")


def as_text(found: Found, story: Explanation, *, refusal: str) -> Iterator[str]:
    """The explanation for a reader, line by line."""
    yield f"Event {story.event.pk} of {story.event.owner}, found by {found.matched}."
    whose = ", the zone of its owner" if story.zone == story.event.owner.time_zone else ""
    yield f"Times without a zone are in {story.zone}{whose}."
    yield from _section("What it is", [*story.what, *_content_lines(story, refusal)])
    yield from _section("Where it stands", [line for place in story.places for line in _place_lines(place)])
    yield from _section("What happened", [f"{story.told(line.at)}  {line.text}" for line in story.history])
    found_lines = [f"{story.told(line.at)}  {line.text} {line.remedy}".rstrip() for line in story.findings]
    yield from _section("What was put before a person", found_lines)
    yield from _section("What happens next", list(story.coming) or ["Nothing: nothing is left to be written."])


def _section(title: str, lines: list[str]) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"  {line}" for line in lines or ["Nothing is known."])


def _content_lines(story: Explanation, refusal: str) -> Iterator[str]:
    if story.content is None:
        yield f"{MASKED}{refusal or ' --as EMAIL shows them to a cleared operator.'}"
        return
    for name, value in story.content.items():
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        if shown:
            yield f"{name.capitalize()}: {shown}"


def _place_lines(place: PlaceStory) -> Iterator[str]:
    number = f" (calendar {place.calendar.pk})" if place.calendar else ""
    role = f"{place.role}, " if place.role else ""
    yield f"{place.name}{number}: {role}{place.state}."
    for reason in place.reasons:
        yield f"  {reason.text}"
        if reason.remedy:
            yield f"    What helps: {reason.remedy}"


def as_json(found: Found, story: Explanation) -> dict[str, Any]:
    """The machine-readable explanation; the keys are a contract. ``content`` is null where it is masked."""
    return {
        "event": story.event.pk,
        "owner": story.event.owner.email,
        "matched": found.matched,
        "zone": story.zone,
        "what": list(story.what),
        "content": story.content,
        "places": [_place_json(place) for place in story.places],
        "history": [{"at": line.at.isoformat(), "kind": line.kind, "text": line.text} for line in story.history],
        "findings": [
            {"at": line.at.isoformat(), "kind": line.kind, "text": line.text, "remedy": line.remedy}
            for line in story.findings
        ],
        "next": list(story.coming),
    }


def _place_json(place: PlaceStory) -> dict[str, Any]:
    return {
        "calendar": place.calendar.pk if place.calendar else None,
        "name": place.name,
        "role": place.role,
        "state": place.state,
        "reasons": [_reason_json(reason) for reason in place.reasons],
    }


def _reason_json(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text, "remedy": reason.remedy}
