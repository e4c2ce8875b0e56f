"""Configuration: what Django's system checks, ours among them, say of the settings."""

from __future__ import annotations

from django.conf import settings
from django.core import checks

from calsync_site.doctor.finding import Finding, ok, problem, warning


def look_at_settings() -> list[Finding]:
    """One line per message; those for deployment too, unless this is a loopback installation."""
    messages = checks.run_checks(include_deployment_checks=not settings.LOCAL_DEPLOYMENT)
    found = [_finding(message) for message in messages if message.level >= checks.WARNING and not message.is_silenced()]
    return found or [ok("settings", "The settings are in order.")]


def _finding(message: checks.CheckMessage) -> Finding:
    name, text = f"settings.{message.id or 'check'}", str(message.msg)
    remedy = str(message.hint or "") or "manage.py check tells more."
    return problem(name, text, remedy) if message.level >= checks.ERROR else warning(name, text, remedy)
