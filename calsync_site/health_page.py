"""The console's first page for IT staff: how everything within their reach is doing, and what needs somebody."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import OrgUnit
from accounts.reach import units_reached
from calendars import overview
from calsync_site.doctor.queue import SILENT, last_sign

EXPIRY_SHOWN = timedelta(days=30)


def health_page(request: HttpRequest) -> HttpResponse:
    """Counts by connection and by org unit, and every trouble with since when, why and what helps."""
    if not request.user.has_perm("calendars.view_calendar"):
        raise PermissionDenied
    now = timezone.now()
    unit = _unit(request)
    found, more = overview.troubles(request.user)
    context = {
        **admin.site.each_context(request),
        "title": "Health",
        "now": now,
        "calendars": reverse("admin:calendars_calendar_changelist"),
        "every": overview.count_all(request.user),
        "connections": overview.by_connection(request.user),
        "unit": unit,
        "units": overview.by_unit(request.user, unit),
        "troubles": found,
        "more": more,
        "backlog": overview.backlog(request.user),
        "waiting": overview.mailboxes_without_calendar(request.user),
        "stale": _stale(now),
        "ending_before": (now + EXPIRY_SHOWN).date(),
    }
    return TemplateResponse(request, "console/health.html", context)


def _unit(request: HttpRequest) -> OrgUnit | None:
    """The unit that was opened, within reach."""
    asked = request.GET.get("unit", "")
    if not asked:
        return None
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0
    unit = units_reached(request.user, "calendars.view_calendar").filter(pk=number).first()
    if unit is None:
        raise Http404
    return unit


def _stale(now: datetime) -> str:
    """Why what is shown may be old; '' while a worker works it out."""
    sign = last_sign()
    if sign is not None and sign > now - SILENT:
        return ""
    return f"No worker has shown a sign of life for {timesince(sign, now)}" if sign else "No worker has run yet"
