"""The console's page of messages."""

from __future__ import annotations

from django.contrib import admin

from accounts.console import ReadOnlyAdmin
from notifications.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Who was told what, and whether they read it."""

    list_display = ("created_at", "person", "topic", "sentence", "read_at", "mailed_at")
    list_filter = ("topic", ("read_at", admin.EmptyFieldListFilter))
    list_select_related = ("person",)
    search_fields = ("person__email",)
    date_hierarchy = "created_at"
    fields = ("person", "topic", "sentence", "created_at", "read_at", "mailed_at")
