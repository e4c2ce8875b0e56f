"""The console's pages of switches and rules."""

from syncrules.admin import switches  # noqa: F401 - registers its pages
