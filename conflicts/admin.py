"""The console's page of cases."""

from __future__ import annotations

from django.contrib import admin

from accounts.console import ReadOnlyAdmin
from conflicts.models import Case


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    """What waits for a person, since when and why."""

    list_display = ("summary", "kind", "person", "state", "state_since", "decided_by")
    list_filter = ("state", "kind")
    list_select_related = ("person", "decided_by")
    search_fields = ("summary", "person__email")
    date_hierarchy = "opened_at"
    fields = (
        "kind",
        "person",
        "summary",
        "state",
        "opened_at",
        "decided_at",
        "decided_by",
        "closed_at",
    )
