"""The console's page of groups of people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.console import KeepsTrail
from accounts.models import PeopleGroup


@admin.register(PeopleGroup)
class PeopleGroupAdmin(KeepsTrail):
    """Groups with how many people are in them."""

    trail = {"added": "group.added", "changed": "group.changed", "deleted": "group.deleted"}
    list_display = ("name", "rank", "head_count")
    search_fields = ("name",)
    ordering = ("rank", "name")
    fields = ("name", "rank", "members")
    autocomplete_fields = ("members",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeopleGroup]:
        """With the head count."""
        return super().get_queryset(request).annotate(member_count=Count("members"))

    @admin.display(description="people", ordering="member_count")
    def head_count(self, group: Any) -> int:  # Any: an annotated row
        """How many people are in the group."""
        return int(group.member_count)
