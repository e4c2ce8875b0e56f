"""The scope that commands share: everybody, an org unit, a person or one calendar."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError

from accounts.models import OrgUnit, User
from calendars.models import Calendar, CalendarQuerySet


class UsageError(CommandError):
    """A wrong call or configuration: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


def add_person(parser: ArgumentParser) -> None:
    """The option that narrows a command to one person."""
    parser.add_argument("--person", metavar="EMAIL", help="only this person's calendars")


def person_calendars(email: str) -> CalendarQuerySet:
    """The calendars of a person, by address. Raises UsageError when nobody has it."""
    person = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise UsageError(f"Nobody here has the address {email}. Map people first: manage.py map_org_units FILE.csv")
    return Calendar.objects.filter(account__person=person)


def unit_calendars(path: str) -> CalendarQuerySet:
    """The calendars of an org unit and the units below it. Raises UsageError for an unknown path."""
    wanted = "/" + path.strip().strip("/")
    unit = OrgUnit.objects.filter(path=wanted).first()
    if unit is None:
        raise UsageError(f"There is no org unit {wanted}. Paths look like /Sales/EMEA.")
    return Calendar.objects.filter(account__person__in=User.objects.in_unit(unit))


def one_calendar(calendar_id: int) -> CalendarQuerySet:
    """One calendar by number. Raises UsageError when there is none."""
    calendars = Calendar.objects.filter(pk=calendar_id)
    if not calendars.exists():
        raise UsageError(f"There is no calendar {calendar_id}: the console lists them.")
    return calendars


def chosen(options: dict[str, Any]) -> CalendarQuerySet:  # Any: argparse's values
    """The calendars that ``--person``, ``--calendar`` or ``--org-unit`` choose; all without one."""
    if options.get("person") is not None:
        return person_calendars(options["person"])
    if options.get("calendar") is not None:
        return one_calendar(options["calendar"])
    if options.get("org_unit") is not None:
        return unit_calendars(options["org_unit"])
    return Calendar.objects.all()
