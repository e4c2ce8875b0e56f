"""List double bookings."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from calendars.management.scope import UsageError
from calendars.models import Link, LinkState
from calsync.engine import zones
from calsync.engine.overlaps import Overlap
from conflicts.detection import catch_up, overlaps_of

HELP = """List what collides in people's calendars, on both platforms together: each meeting counts once, however many
copies of it there are. Days are those of each person's own time zone; without --from and --to, the next 30.

Titles are never told: explain_event tells more of an event to whoever is cleared.

exit code 0   told, even when there is nothing      2   a wrong call

  manage.py overlaps --person ada@example.org
  manage.py overlaps --all --from 2026-12-01 --to 2026-12-31 --json"""

USUAL_DAYS = 30
FEW = 500  # people that are looked at together


@dataclass(frozen=True, slots=True)
class Listed:
    """What collides for one person."""

    person: User
    overlaps: Sequence[Overlap]


class Command(BaseCommand):
    """``manage.py overlaps``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, when, and how."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--person", metavar="EMAIL", help="only this person's")
        whose.add_argument("--all", action="store_true", help="everybody's")
        parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="first day, as 2026-12-01")
        parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last day")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work out what has changed, look, print."""
        now = timezone.now()
        catch_up(now=now)
        people = _people(options["person"])
        first = options["first"] or now.date()
        last = options["last"] or first + timedelta(days=USUAL_DAYS - 1)
        if last < first:
            raise UsageError("--to lies before --from.")
        listed = [one for few in _by(people, FEW) for one in _listed(few, first, last)]
        if options["json"]:
            self.stdout.write(json.dumps(as_json(listed, first=first, last=last), indent=2))
        else:
            self.stdout.write("\n".join(as_text(listed, first=first, last=last)))


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _people(email: str | None) -> list[User]:
    people = User.objects.filter(is_active=True).order_by("email")
    if email is None:
        return list(people)
    person = people.filter(email=email.strip().lower()).first()
    if person is None:
        raise UsageError(f"Nobody here has the address {email}.")
    return [person]


def _by(people: Sequence[User], size: int) -> Iterator[Sequence[User]]:
    return (people[at : at + size] for at in range(0, len(people), size))


def _listed(people: Sequence[User], first: date, last: date) -> Iterator[Listed]:
    """What collides for each on these days of their own."""
    days = {person.pk: (_midnight(first, person), _midnight(last + timedelta(days=1), person)) for person in people}
    earliest, latest = min(start for start, _ in days.values()), max(end for _, end in days.values())
    found = overlaps_of(list(days), start=earliest, end=latest)
    for person in people:
        start, end = days[person.pk]
        yield Listed(person, [one for one in found[person.pk] if one.start < end and one.end > start])


def _midnight(day: date, person: User) -> datetime:
    return zones.to_instant(datetime.combine(day, time()), person.time_zone)


def as_json(listed: Iterable[Listed], *, first: date, last: date) -> dict[str, Any]:
    """The machine-readable list; the keys are a contract. Instants are UTC."""
    listed = list(listed)
    places = _places(one for found in listed for one in found.overlaps)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "people": len(listed),
        "overlaps": [
            {
                "person": found.person.email,
                "start": _instant(one.start),
                "end": _instant(one.end),
                "apart": one.apart,
                "events": [{"event": pk, "copies": places.get(pk, [])} for pk in (one.first, one.second)],
            }
            for found in listed
            for one in found.overlaps
        ],
    }


def as_text(listed: Iterable[Listed], *, first: date, last: date) -> Iterator[str]:
    """The same for a reader, person by person, in the person's own zone."""
    listed = list(listed)
    count = sum(len(found.overlaps) for found in listed)
    if not count:
        yield f"Nothing collides from {first} to {last}."
        return
    places = _places(one for found in listed for one in found.overlaps)
    for found in listed:
        if found.overlaps:
            yield f"{found.person} ({found.person.time_zone})"
        for one in found.overlaps:
            both = " and ".join(_event(pk, places) for pk in (one.first, one.second))
            yield f"  {_when(one, found.person.time_zone)}  {both}"
    concerned = sum(bool(found.overlaps) for found in listed)
    yield f"{count} overlap{'s' * (count != 1)} of {concerned} {'people' if concerned != 1 else 'person'}."


def _when(one: Overlap, zone: str) -> str:
    start, end = zones.to_wall(one.start, zone), zones.to_wall(one.end, zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {until}" + (" (too close)" if one.apart else "")


def _event(pk: int, places: dict[int, list[dict[str, str]]]) -> str:
    platforms = sorted({place["platform"] for place in places.get(pk, [])})
    return f"event {pk} ({', '.join(platforms)})" if platforms else f"event {pk}"


def _places(found: Iterable[Overlap]) -> dict[int, list[dict[str, str]]]:
    """By event where its copies stand: platform and the provider's id."""
    numbers = {pk for one in found for pk in (one.first, one.second)}
    links = Link.objects.filter(event__in=numbers).exclude(state=LinkState.GONE).exclude(remote_id="")
    places: dict[int, list[dict[str, str]]] = {}
    for link in links.select_related("calendar__account").order_by("event_id", "calendar_id"):
        account = link.calendar.account
        place = {"platform": str(account.platform), "mailbox": account.address, "id": link.remote_id}
        places.setdefault(link.event_id, []).append(place)
    return places


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
