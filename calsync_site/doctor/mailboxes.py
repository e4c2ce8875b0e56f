"""Mailboxes: which calendars are in trouble and why; what was parked."""

from __future__ import annotations

from accounts.models import Health
from calendars.models import Calendar, Operation, OperationState
from calsync_site.doctor.finding import Finding, ok, problem, warning

MOST_SHOWN = 20
_REMEDY = "Mend the cause; the calendar is tried again every few minutes, or at once: manage.py sync --calendar {pk}"


def look_at_mailboxes() -> list[Finding]:
    """Calendars that need a person or are delayed, and parked writes."""
    calendars = Calendar.objects.active().select_related("account")
    count = calendars.count()
    if not count:
        remedy = "Map people with manage.py map_org_units FILE.csv, then manage.py activate_sync --all"
        return [warning("mailboxes", "No calendar is active.", remedy), *_parked()]
    troubled = calendars.filter(state__in=[Health.ACTION_REQUIRED, Health.DELAYED]).order_by("state", "pk")
    found = [_trouble(calendar) for calendar in troubled[:MOST_SHOWN]]
    total = troubled.count()
    if total > MOST_SHOWN:
        found.append(warning("mailboxes", f"{total - MOST_SHOWN} more calendars are in trouble.", "See the console."))
    fine = ok("mailboxes", f"{count - total} of {count} active calendars are in order.")
    return [fine, *found, *_parked()]


def _trouble(calendar: Calendar) -> Finding:
    name = f"mailbox.{calendar.pk}"
    text = f"{calendar}: {calendar.get_state_display()}: {calendar.state_reason or 'no reason was noted'}"
    remedy = f"{calendar.state_remedy} {_REMEDY.format(pk=calendar.pk)}".strip()
    if calendar.state == Health.ACTION_REQUIRED:
        return problem(name, text, remedy)
    return warning(name, text, "Nothing to do unless it lasts: it is tried again by itself.")


def _parked() -> list[Finding]:
    parked = Operation.objects.filter(state=OperationState.PARKED).count()
    if not parked:
        return []
    remedy = "manage.py sync --json lists them with reason and remedy."
    return [warning("mailboxes.parked", f"{parked} writes were refused by a provider and are parked.", remedy)]
