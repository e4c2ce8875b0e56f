"""The console's page of org units."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.admin.roles import RolePages
from accounts.console import ReachAdmin
from accounts.models import OrgUnit
from accounts.services.units import place_unit


class OrgUnitForm(forms.ModelForm):
    """Name and place of a unit, checked as the service will check them."""

    class Meta:
        model = OrgUnit
        fields = ("name", "parent")

    def clean(self) -> dict[str, Any]:
        """Try the placing and take it back, so that what it refuses is shown on the form."""
        cleaned = super().clean() or {}
        if "name" in cleaned and "parent" in cleaned:
            unit = OrgUnit.objects.get(pk=self.instance.pk) if self.instance.pk else OrgUnit()
            with transaction.atomic():
                place_unit(unit=unit, name=cleaned["name"], parent=cleaned["parent"])
                transaction.set_rollback(True)
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row alone: the service writes it."""


@admin.register(OrgUnit)
class OrgUnitAdmin(RolePages, ReachAdmin):
    """Units with how many people are directly in them; renaming moves everything below along."""

    form = OrgUnitForm
    readonly_fields = ("roles_held",)
    list_display = ("path", "people_here")
    search_fields = ("path",)
    autocomplete_fields = ("parent",)
    ordering = ("path",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrgUnit]:
        """With the head count."""
        return super().get_queryset(request).annotate(head_count=Count("people"))

    @admin.display(description="people here", ordering="head_count")
    def people_here(self, unit: Any) -> int:  # Any: an annotated row
        """How many people are directly in the unit."""
        return int(unit.head_count)

    def save_model(self, request: HttpRequest, obj: OrgUnit, form: forms.ModelForm, change: bool) -> None:  # noqa: ARG002
        """Through the service, which keeps the paths."""
        place_unit(unit=obj, name=form.cleaned_data["name"], parent=form.cleaned_data["parent"])
