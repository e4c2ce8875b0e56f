"""Find time at which people on either platform can meet."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from calendars.management.scope import UsageError
from calsync.engine import zones
from calsync.engine.slots import Proposal
from conflicts.availability import propose, unknown_of
from conflicts.detection import catch_up

HELP = """Find times at which everybody is free, on both platforms together: inside everybody's working hours first,
then what burdens the fewest, the least. Times are told in the zone of the first person.

exit code 0   told      1   there is no such time      2   a wrong call, or somebody's calendars are not known

  manage.py free_slots --with ada@example.org,bo@example.org --minutes 30 --within 5"""

MOST_MINUTES, MOST_DAYS = 24 * 60, 180


class Command(BaseCommand):
    """``manage.py free_slots``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, how long, how soon, and how many proposals."""
        parser.add_argument("--with", dest="people", required=True, metavar="EMAIL,...", help="who is to meet")
        parser.add_argument("--minutes", type=_up_to(MOST_MINUTES), required=True, metavar="N", help="how long")
        parser.add_argument("--within", type=_up_to(MOST_DAYS), required=True, metavar="DAYS", help="how soon")
        parser.add_argument("--most", type=_up_to(50), default=3, metavar="N", help="how many proposals: 3")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work out what has changed, search, print."""
        people = _people(options["people"])
        now = timezone.now()
        catch_up(now=now)
        end = now + timedelta(days=options["within"])
        length = timedelta(minutes=options["minutes"])
        found = propose(people, length=length, start=now, end=end, most=options["most"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(people, found), indent=2))
        else:
            self.stdout.write("\n".join(as_text(people, found)))
        if not found:
            raise SystemExit(1)


def _up_to(most: int) -> Any:  # Any: argparse's kind of callable
    def number(text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"a whole number from 1 to {most}")
        return int(text)

    return number


def _people(listed: str) -> list[User]:
    """In the order given. Raises UsageError for addresses that nobody has, and for people whose time is not known."""
    emails = list(dict.fromkeys(email.strip().lower() for email in listed.split(",") if email.strip()))
    known = {person.email: person for person in User.objects.filter(email__in=emails, is_active=True)}
    if missing := [email for email in emails if email not in known]:
        raise UsageError(f"Nobody here has the address {', '.join(missing)}.")
    if not emails:
        raise UsageError("Name at least one person: --with ada@example.org,bo@example.org")
    people = [known[email] for email in emails]
    if unknown := unknown_of(people):
        names = ", ".join(person.email for person in unknown)
        raise UsageError(f"No calendar of {names} is read yet, so nobody knows when they are free: activate and sync.")
    return people


def as_json(people: Sequence[User], found: Sequence[Proposal]) -> dict[str, Any]:
    """The machine-readable proposals; the keys are a contract. Instants are UTC."""
    return {
        "people": [person.email for person in people],
        "slots": [
            {
                "start": _instant(one.start),
                "end": _instant(one.end),
                "outside_working_hours": [
                    {"person": person.email, "minutes": int(reach / timedelta(minutes=1))}
                    for person, reach in zip(people, one.outside, strict=True)
                    if reach
                ],
            }
            for one in found
        ],
    }


def as_text(people: Sequence[User], found: Sequence[Proposal]) -> Iterator[str]:
    """The same for a reader."""
    zone = people[0].time_zone
    if not found:
        yield "There is no time at which all of them are free."
    for one in found:
        start, end = zones.to_wall(one.start, zone), zones.to_wall(one.end, zone)
        late = [person.email for person, reach in zip(people, one.outside, strict=True) if reach]
        outside = f"  outside the working hours of {', '.join(late)}" if late else ""
        yield f"{start:%a %Y-%m-%d %H:%M} to {end:%H:%M} {zone}{outside}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
