"""The console's page of the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.console import ReadOnlyAdmin
from accounts.models import TrailEntry
from accounts.trail import sentence


@admin.register(TrailEntry)
class TrailAdmin(ReadOnlyAdmin):
    """Who did what to which object when, from where and why."""

    list_display = ("at", "actor_name", "told", "reason", "origin", "address")
    list_display_links = ("at", "told")
    list_filter = ("action", "origin")
    search_fields = ("actor_name", "target_name", "reason")
    date_hierarchy = "at"
    fields = ("at", "actor_name", "told", "reason", "origin", "address", "target_kind", "target_id", "numbers")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Newest first."""
        return super().get_queryset(request).order_by("-pk")

    @admin.display(description="What")
    def told(self, entry: TrailEntry) -> str:
        """The action in words."""
        return sentence(entry)

    @admin.display(description="Facts")
    def numbers(self, entry: TrailEntry) -> str:
        """Counts and choices, in words."""
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in entry.facts.items()) or "-"
