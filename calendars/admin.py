"""The console's view of calendars, events and work: to look at. The engine owns these rows; services change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.console import AsksReason, ReadOnlyAdmin
from accounts.models import Clearance
from accounts.reach import reaches_all
from calendars import connection_admin, policy_admin, rule_admin
from calendars.list_filters import ShownState, ThroughConnection, WithinUnit
from calendars.models import AuditRun, Calendar, Event, EventEntry, Finding, HookCount, Link, Operation, Watch
from calendars.overview import COLOURS
from calendars.services import classify
from calendars.sync import bell
from calendars.sync.history import told
from calsync.engine.findings import named

__all__ = ["connection_admin", "policy_admin", "rule_admin"]  # each registers its own pages

WORK_COLOURS = {"done": "success", "in_flight": "info", "planned": "info", "parked": "danger"}


@admin.register(Calendar)
class CalendarAdmin(AsksReason, ReadOnlyAdmin):
    """Is it healthy, since when, and why not."""

    list_display = (
        "address",
        "platform_name",
        "health",
        "state_since",
        "state_reason",
        "state_remedy",
        "last_success_at",
        "is_active",
        "classification",
    )
    change_list_template = "calendars/calendar_list.html"
    list_filter = (
        *(WithinUnit, ThroughConnection, ShownState),
        *("state", "classification", "account__platform", "is_active", "account__person__org_unit"),
    )
    search_fields = ("account__address", "account__person__name")
    list_select_related = ("account",)
    exclude = ("cursor",)
    actions = ("read_now", "as_public", "as_internal", "as_confidential", "as_restricted")
    verbs = {"classify": "change"}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to switch sync on for those who may."""
        may_activate = reaches_all(request.user, "calendars.change_calendar")
        return super().changelist_view(request, {**(extra_context or {}), "may_activate": may_activate})

    @admin.display(description="Mailbox", ordering="account__address")
    def address(self, calendar: Calendar) -> str:
        """Whose calendar it is."""
        return calendar.account.address

    @display(description="State", ordering="state", label=COLOURS)
    def health(self, calendar: Calendar) -> tuple[str, str]:
        """The state as a coloured word."""
        return calendar.state, calendar.get_state_display()

    @admin.display(description="Platform", ordering="account__platform")
    def platform_name(self, calendar: Calendar) -> str:
        """The platform in words."""
        return calendar.account.get_platform_display()

    @admin.action(description="Read now", permissions=["view"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> None:
        """Ring the bell of the chosen calendars."""
        ids = list(queryset.filter(is_active=True).values_list("pk", flat=True))
        bell.ring(calendar_ids=ids, now=timezone.now())
        self.message_user(request, f"{len(ids)} calendars will be read in a moment.", messages.SUCCESS)

    def has_classify_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Who may say what a calendar is: IT administrators."""
        return bool(request.user.is_superuser)

    @admin.action(description="Classify as public ...", permissions=["classify"])
    def as_public(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> HttpResponse | None:
        """What their events are at least."""
        return self._classify(request, queryset, Clearance.PUBLIC)

    @admin.action(description="Classify as internal ...", permissions=["classify"])
    def as_internal(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> HttpResponse | None:
        """What their events are at least."""
        return self._classify(request, queryset, Clearance.INTERNAL)

    @admin.action(description="Classify as confidential ...", permissions=["classify"])
    def as_confidential(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> HttpResponse | None:
        """What their events are at least."""
        return self._classify(request, queryset, Clearance.CONFIDENTIAL)

    @admin.action(description="Classify as restricted ...", permissions=["classify"])
    def as_restricted(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> HttpResponse | None:
        """What their events are at least."""
        return self._classify(request, queryset, Clearance.RESTRICTED)

    def _classify(self, request: HttpRequest, rows: QuerySet[Calendar], level: Clearance) -> HttpResponse | None:
        def do(calendars: QuerySet[Calendar], reason: str) -> str:
            chosen = Calendar.objects.filter(pk__in=calendars.values("pk"))
            return f"{classify(calendars=chosen, level=level, reason=reason, now=timezone.now())} calendars changed."

        return self.with_reason(request, rows, title=f"Classify calendars as {level.label}", do=do)


@admin.register(Watch)
class WatchAdmin(ReadOnlyAdmin):
    """Push channels."""

    list_display = ("calendar", "state", "state_since", "state_reason", "expires_at", "heard_at")
    list_filter = ("state", "calendar__account__platform")
    list_select_related = ("calendar__account",)
    exclude = ("secret",)


class EventEntryInline(TabularInline):
    """What happened to one event, oldest first."""

    model = EventEntry
    fields = readonly_fields = ("at", "told", "calendar", "named_fields", "text")
    verbose_name_plural = "history"
    extra = 0
    can_delete = False
    hide_title = True

    @admin.display(description="What")
    def told(self, entry: EventEntry) -> str:
        """What happened, in the words of ``explain_event``."""
        return told(entry)

    @admin.display(description="Fields")
    def named_fields(self, entry: EventEntry) -> str:
        """The fields concerned, in words."""
        return named(entry.paths) or "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventEntry]:
        """The lines with their calendars."""
        return super().get_queryset(request).select_related("calendar__account").order_by("pk")

    def has_add_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:  # noqa: ARG002 - Django's
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:  # noqa: ARG002 - Django's
        """Nobody changes."""
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """When and for whom; what it is about stays sealed."""

    list_display = ("__str__", "owner", "starts_at", "ends_at", "is_series", "show_as", "changed_at", "deleted_at")
    list_filter = ("is_series", "is_all_day", "show_as", "owner__org_unit")
    search_fields = ("owner__email",)
    date_hierarchy = "starts_at"
    list_select_related = ("owner",)
    fields = (
        "owner",
        "wrapped_uid",
        "starts_at",
        "ends_at",
        "is_all_day",
        "is_series",
        "show_as",
        "left_alone",
        "changed_at",
        "deleted_at",
        "whole",
        "part",
        "predecessor",
    )
    inlines = (EventEntryInline,)
    show_full_result_count = False

    @admin.display(description="UID")
    def wrapped_uid(self, event: Event) -> str:
        """The whole of it: it is long and has no blanks, so a narrow screen must be allowed to break it anywhere."""
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', event.uid or "-")


@admin.register(Link)
class LinkAdmin(ReadOnlyAdmin):
    """Which copy stands where."""

    list_display = ("__str__", "event", "calendar", "role", "state", "generation")
    list_filter = ("role", "state", "calendar__account__platform")
    list_select_related = ("event", "calendar__account")
    exclude = ("hub_map", "remote_map", "token", "key")
    show_full_result_count = False


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    """The outbox: what is to be written, what was, and what is parked and why."""

    list_display = ("__str__", "calendar", "progress", "reason", "remedy", "attempts", "planned_at", "written_at")
    ordering = ("-pk",)
    list_filter = ("state", "kind", "calendar__account__platform")
    search_fields = ("calendar__account__address",)
    list_select_related = ("calendar__account",)
    show_full_result_count = False

    @display(description="State", ordering="state", label=WORK_COLOURS)
    def progress(self, operation: Operation) -> tuple[str, str]:
        """The state as a coloured word."""
        return operation.state, operation.get_state_display()


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """What the engine found; the values stay sealed."""

    list_display = ("text", "kind", "person", "created_at", "settled_at")
    list_filter = ("kind", "calendar__account__platform")
    search_fields = ("person__email",)
    list_select_related = ("person", "calendar__account")
    exclude = ("values",)


@admin.register(HookCount)
class HookCountAdmin(ReadOnlyAdmin):
    """How many notifications came, refused ones included."""

    list_display = ("day", "provider", "outcome", "count")
    list_filter = ("provider", "outcome")
    date_hierarchy = "day"


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnlyAdmin):
    """The history of the match rate."""

    list_display = ("started_at", "finished_at", "scope", "match_rate")
    date_hierarchy = "started_at"
