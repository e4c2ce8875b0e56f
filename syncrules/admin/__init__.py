"""The console's page of switches. Pages of rules show what a change does to events: see ``calendars.rule_admin``."""

from syncrules.admin import switches  # noqa: F401 - registers its page
