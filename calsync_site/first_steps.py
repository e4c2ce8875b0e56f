"""The console's start page of a new installation: what is still to be done until calendars are kept in step, in order.

Each step is read from rows; nobody ticks it. The list goes away by itself once everything that is needed is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Health, LinkedAccount, TenantConnection
from accounts.reach import reaches_all
from calendars.models import Calendar
from calsync.engine.events import Platform
from calsync_site.doctor.queue import last_sign
from syncrules.models import Rule

RECENT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One line. ``link`` leads to where it is done; '' where that is no page."""

    title: str
    text: str
    done: bool
    link: str = ""
    optional: bool = False


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:  # Any: a template's context
    """What the theme asks for its start page."""
    if reaches_all(request.user, "accounts.change_tenantconnection"):
        steps = first_steps(now=timezone.now())
        if not all(step.done or step.optional for step in steps):
            context["first_steps"] = steps
    return context


def first_steps(*, now: datetime) -> list[FirstStep]:
    """The steps in their order."""
    return [
        *(
            _connected(platform, name)
            for platform, name in zip(Platform, ("Microsoft 365", "Google Workspace"), strict=True)
        ),
        FirstStep(
            "Bring people in",
            "From a file on this page, or from the directory: on the page of a connection, under Import people.",
            LinkedAccount.objects.in_use().exists(),
            reverse("people-file"),
        ),
        _worker(now),
        FirstStep(
            "Let providers reach this site",
            "Set CALSYNC_PUBLIC_URL to its https address. Without it, changes are found by asking every minute.",
            settings.CALSYNC_PUBLIC_URL.startswith("https://"),
            optional=True,
        ),
        FirstStep(
            "Write a rule",
            "Without one, events travel with all their details. Try a rule on an event, and see what it changes first.",
            Rule.objects.exists(),
            reverse("admin:syncrules_rule_changelist"),
            optional=True,
        ),
        FirstStep(
            "Switch sync on",
            "For one person first. Nothing is read or written before.",
            Calendar.objects.active().exists(),
            reverse("activate-sync"),
        ),
    ]


def _connected(platform: Platform, name: str) -> FirstStep:
    rows = TenantConnection.objects.filter(platform=platform.value).defer("credentials")
    working = rows.filter(state__in=[Health.HEALTHY, Health.IMPORTING, Health.CATCHING_UP]).exists()
    if rows.exists() and not working:
        link = reverse("admin:accounts_tenantconnection_changelist")
        return FirstStep(f"Connect {name}", "It is entered. Test it, and see what is missing.", done=False, link=link)
    text = "It works." if working else "A page says what to make there, with which permissions, and tests it."
    link = reverse("admin:accounts_tenantconnection_guide", args=[platform.value])
    return FirstStep(f"Connect {name}", text, working, link)


def _worker(now: datetime) -> FirstStep:
    sign = last_sign()
    text = "Start manage.py worker, on this machine or another one: it reads and writes the calendars."
    return FirstStep("Start a worker", text, sign is not None and sign > now - RECENT)
