"""The console's pages of switches and rules."""

from syncrules.admin import rules, switches  # noqa: F401 - each registers its pages
