"""The console's page of org units."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OrderBy, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import selectors
from accounts.admin.roles import RolePages
from accounts.console import ReachAdmin
from accounts.models import OrgUnit
from accounts.models.units import tree_order
from accounts.services.units import attached_to, delete_unit, merge_units, place_unit
from accounts.unit_paths import is_within


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
                place_unit(unit=unit, name=cleaned["name"], parent=cleaned["parent"], now=timezone.now())
                transaction.set_rollback(True)
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row alone: the service writes it."""


class MergeForm(forms.Form):
    """Where everybody of the selected units goes."""

    into = forms.CharField(
        label="Merge into", widget=UnfoldAdminTextInputWidget, help_text="the path of a unit, such as /Sales/EMEA"
    )

    def clean_into(self) -> OrgUnit:
        """The unit of that path."""
        unit = OrgUnit.objects.filter(path=self.cleaned_data["into"]).first()
        if unit is None:
            raise forms.ValidationError("There is no such org unit.")
        return unit


@admin.register(OrgUnit)
class OrgUnitAdmin(RolePages, ReachAdmin):
    """The tree, indented, with how many people are in each unit; renaming moves everything below along."""

    form = OrgUnitForm
    readonly_fields = ("roles_held",)
    list_display = ("branch", "people_here", "people_with_below", "path")
    list_per_page = 500
    search_fields = ("path",)
    autocomplete_fields = ("parent",)
    actions = ("merge", "delete_empty")

    def get_ordering(self, request: HttpRequest) -> list[OrderBy]:  # noqa: ARG002
        """In the tree's own order."""
        return [tree_order()]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """With head counts of the whole tree, in one query."""
        page = super().get_changelist_instance(request)
        heads = selectors.people_by_unit_path()
        for unit in page.result_list:
            unit.here = heads.get(unit.path, 0)
            unit.with_below = sum(count for path, count in heads.items() if is_within(path, unit.path))
        return page

    @admin.display(description="org unit")
    def branch(self, unit: OrgUnit) -> str:
        """The name, indented by its depth."""
        depth = unit.path.count("/") - 1
        return "\u2003" * max(depth - 1, 0) + ("└ " if depth else "") + unit.name

    @admin.display(description="people here")
    def people_here(self, unit: Any) -> int:  # Any: a row with counts
        """How many active people are directly in the unit."""
        return int(unit.here)

    @admin.display(description="with those below")
    def people_with_below(self, unit: Any) -> int:  # Any: a row with counts
        """How many active people are in the unit and in all below."""
        return int(unit.with_below)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:  # Any: Django's own tuples
        """Without Django's deletion of many: ours says what is not empty."""
        return {name: value for name, value in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: OrgUnit, form: forms.ModelForm, change: bool) -> None:  # noqa: ARG002
        """Through the service, which keeps the paths."""
        place_unit(unit=obj, name=form.cleaned_data["name"], parent=form.cleaned_data["parent"], now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: OrgUnit) -> None:  # noqa: ARG002 - Django's signature
        """Through the service, which notes it."""
        delete_unit(unit=obj, now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # Any: Django's own
        """Only what is empty, and used by nothing else, can be deleted."""
        is_empty = obj is None or not (obj.people.exists() or obj.children.exists() or attached_to(obj))
        return is_empty and super().has_delete_permission(request, obj)

    @admin.action(description="Delete empty units", permissions=["delete"])
    def delete_empty(self, request: HttpRequest, queryset: QuerySet[OrgUnit]) -> None:
        """Delete the selected units, the deepest first; one that is not empty stops all of it."""
        units = sorted(queryset, key=lambda unit: -unit.path.count("/"))
        try:
            with transaction.atomic():
                for unit in units:
                    delete_unit(unit=unit, now=timezone.now())
        except ValidationError as error:
            self.message_user(request, f"Nothing was deleted. {' '.join(error.messages)}", messages.ERROR)
        else:
            self.message_user(request, f"{len(units)} org units were deleted.")

    @admin.action(description="Merge into another unit ...", permissions=["delete"])
    def merge(self, request: HttpRequest, queryset: QuerySet[OrgUnit]) -> HttpResponse | None:
        """Ask where everybody goes, then move them there and delete the selected units."""
        form = MergeForm(request.POST if "into" in request.POST else None)
        if form.is_valid():
            try:
                gone = merge_units(units=queryset, into=form.cleaned_data["into"], now=timezone.now())
            except ValidationError as error:
                self.message_user(request, f"Nothing was merged. {' '.join(error.messages)}", messages.ERROR)
            else:
                self.message_user(request, f"{gone} org units were merged into {form.cleaned_data['into']}.")
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Merge org units",
            "opts": self.model._meta,
            "form": form,
            "rows": queryset,
            "action": "merge",
            "select_across": "0",
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "console/ask_reason.html", context)
