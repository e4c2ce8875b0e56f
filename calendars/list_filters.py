"""Filters of the list of calendars that the health page leads to. They show themselves only while they are in use."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Health, OrgUnit, TenantConnection
from accounts.reach import visible_to
from calendars.models import Calendar
from calendars.overview import SHOWN_STATE


class _Led(SimpleListFilter):
    """Offers what the address asks for, and the way back to everything."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Any: Django's
        """The one choice that was led to."""
        value = self.value()
        return [(value, self.named(request, value))] if value else []

    def named(self, request: HttpRequest, value: str) -> str:
        """The choice in words."""
        raise NotImplementedError


class WithinUnit(_Led):
    """Of an org unit and all below it."""

    title, parameter_name = "org unit and below", "within"

    def named(self, request: HttpRequest, value: str) -> str:
        """The unit's path."""
        unit = visible_to(OrgUnit.objects.all(), request.user).filter(pk=_number(value)).first()
        return unit.path if unit else "no such unit"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> QuerySet[Calendar]:  # noqa: ARG002
        """The calendars of people there."""
        if not self.value():
            return queryset
        unit = OrgUnit.objects.filter(pk=_number(self.value())).first()
        if unit is None:
            return queryset.none()
        below = OrgUnit.objects.below(unit.path).order_by().values("pk")
        return queryset.filter(Q(account__person__org_unit=unit) | Q(account__person__org_unit__in=below))


class ThroughConnection(_Led):
    """Reached through one tenant connection."""

    title, parameter_name = "connection", "through"

    def named(self, request: HttpRequest, value: str) -> str:
        """The connection's name, for those who may look at it."""
        seen = visible_to(TenantConnection.objects.defer("credentials"), request.user).filter(pk=_number(value)).first()
        return seen.name if seen else "one of them"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> QuerySet[Calendar]:  # noqa: ARG002
        """The calendars of its mailboxes."""
        return queryset.filter(account__connection=_number(self.value())) if self.value() else queryset


class ShownState(_Led):
    """In the state that the health page counts: a calendar of a disabled mailbox is disabled."""

    title, parameter_name = "state, as counted", "doing"

    def named(self, request: HttpRequest, value: str) -> str:  # noqa: ARG002
        """The state in words."""
        return Health(value).label if value in Health.values else "no such state"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> QuerySet[Calendar]:  # noqa: ARG002
        """The calendars in that state."""
        return queryset.alias(shown_state=SHOWN_STATE).filter(shown_state=self.value()) if self.value() else queryset


def _number(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 18 else 0
