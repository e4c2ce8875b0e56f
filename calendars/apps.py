"""The app of calendars, events and the sync pipeline."""

from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    """Calendars, events, links and planned work."""

    name = "calendars"
    verbose_name = "Calendars and sync"
