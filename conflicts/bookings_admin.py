"""The console's pages of double bookings, of what counts as one, and of the busy time behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.decorators import display

from accounts.console import ReachAdmin, ReadOnlyAdmin
from calendars.models import BusySlot
from calsync.engine import zones
from conflicts.models import DoubleBooking, OverlapPolicy
from conflicts.services import drop_overlap_policy, save_overlap_policy


@admin.register(DoubleBooking)
class DoubleBookingAdmin(ReadOnlyAdmin):
    """What collides for whom, and when next. The case beside it is where it is decided."""

    list_display = ("told", "person", "next_at", "times", "standing", "found_at", "gone_at")
    list_filter = (("gone_at", admin.EmptyFieldListFilter), "person__org_unit")
    search_fields = ("person__email", "person__name")
    list_select_related = ("person", "finding")
    date_hierarchy = "next_at"
    fields = ("person", "told", "first", "second", "dates", "found_at", "gone_at", "finding")

    @admin.display(description="What")
    def told(self, booking: DoubleBooking) -> str:
        """The sentence that the person reads."""
        return booking.finding.text if booking.finding is not None else "-"

    @admin.display(description="Times")
    def times(self, booking: DoubleBooking) -> int:
        """How many there are."""
        return len(booking.spans)

    @display(description="State", label={"standing": "warning", "kept": "info", "gone": "success"})
    def standing(self, booking: DoubleBooking) -> tuple[str, str]:
        """Whether it waits, was accepted, or is over."""
        if booking.gone_at is not None:
            return "gone", "gone"
        settled = booking.finding is not None and booking.finding.settled_at is not None
        return ("kept", "both are kept") if settled else ("standing", "open")

    @admin.display(description="Dates")
    def dates(self, booking: DoubleBooking) -> str:
        """Each of them on a line, in the person's zone, as the sentence is."""
        zone = booking.person.time_zone
        lines = ((_told(start, zone), _told(end, zone)) for start, end, _ in booking.spans)
        return format_html_join(mark_safe("<br>"), "{} to {}", lines)


@admin.register(OverlapPolicy)
class OverlapPolicyAdmin(ReachAdmin):
    """What counts as a double booking, unit by unit; without a policy, tentative and all-day time does."""

    list_display = ("unit", "tentative", "elsewhere", "all_day", "gap_minutes")
    search_fields = ("unit__path", "unit__name")
    list_select_related = ("unit",)

    def save_model(self, request: HttpRequest, obj: OverlapPolicy, form: Any, change: bool) -> None:  # noqa: ARG002 - Any: Django's own
        """By the service, so that everybody concerned is looked at again."""
        save_overlap_policy(policy=obj, now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: OverlapPolicy) -> None:  # noqa: ARG002 - Django's own
        """By the service."""
        drop_overlap_policy(policy=obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[OverlapPolicy]) -> None:
        """One by one, by the service."""
        for policy in queryset.select_related("unit"):
            self.delete_model(request, policy)


@admin.register(BusySlot)
class BusySlotAdmin(ReadOnlyAdmin):
    """What takes time from whom; each meeting once."""

    list_display = ("person", "starts_at", "ends_at", "show_as", "is_all_day", "event")
    list_filter = ("show_as", "is_all_day", "person__org_unit")
    search_fields = ("person__email", "person__name")
    list_select_related = ("person", "event")
    date_hierarchy = "starts_at"


def _told(moment: str, zone: str) -> str:
    return f"{zones.to_wall(datetime.fromisoformat(moment), zone):%Y-%m-%d %H:%M}"
