"""How the console behaves in every app: rows that the engine owns are read-only, and whoever acts gives a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models.health import MAX_REASON
from accounts.reach import may, right_to, visible_to
from accounts.sealing import sealed_fields
from accounts.trail import record


class ReachAdmin(ModelAdmin):
    """An admin that shows, offers and changes only what lies within the reach of whoever looks (``accounts.reach``)."""

    verbs: Mapping[str, str] = {}  # names of own permissions of actions -> the right that they stand for

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows within reach."""
        return visible_to(super().get_queryset(request), request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Both are asked: for the page at all, and for the row."""
        return super().has_view_permission(request) and self._reaches(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Both are asked: for the page at all, and for the row."""
        return super().has_change_permission(request) and self._reaches(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Both are asked: for the page at all, and for the row."""
        return super().has_delete_permission(request) and self._reaches(request, "delete", obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The actions, each of which refuses rows over which the right is missing."""
        return {name: (_guarded(do), name, told) for name, (do, _, told) in super().get_actions(request).items()}

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Filters by org unit offer the units within reach."""
        names = super().get_list_filter(request)
        return [(name, ReachedUnits) if str(name).endswith("org_unit") else name for name in names]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # Any: Django's own
        """Forms offer and accept what lies within reach."""
        offered = db_field.remote_field.model._default_manager.all()
        return super().formfield_for_foreignkey(
            db_field, request, **{"queryset": visible_to(offered, request.user), **kwargs}
        )

    def _reaches(self, request: HttpRequest, verb: str, obj: Model | None) -> bool:
        return obj is None or obj.pk is None or may(request.user, right_to(verb, self.model), obj)


class ReachedUnits(admin.RelatedFieldListFilter):
    """A filter by org unit that names the units within reach only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002 - Any: Django's own
        """Number and path of each."""
        units = visible_to(field.remote_field.model._default_manager.all(), request.user)
        return [(unit.pk, str(unit)) for unit in units.order_by("path")]


def _guarded(do: Callable[..., Any]) -> Callable[..., Any]:
    """An action that refuses to start on rows beyond the right that it asks for."""

    @wraps(do)
    def act(model_admin: ReachAdmin, request: HttpRequest, rows: QuerySet[Any]) -> Any:  # Any: as the action answers
        for name in getattr(do, "allowed_permissions", ("change",)):
            right = right_to(model_admin.verbs.get(name, name), rows.model)
            beyond = rows.exclude(pk__in=visible_to(rows.model._default_manager.all(), request.user, right=right))
            if beyond.order_by().exists():
                raise PermissionDenied
        return do(model_admin, request, rows)

    return act


class SealedAdmin(ReachAdmin):
    """An admin that never reads a sealed column: it is not shown, and a lost key does not break the page."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows without their sealed columns."""
        return super().get_queryset(request).defer(*sealed_fields(self.model))


class ReadOnlyAdmin(SealedAdmin):
    """Rows that may be looked at and not touched."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes."""
        return False


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)


class KeepsTrail(ModelAdmin):
    """An admin whose forms save rows directly: what they did is noted in the audit trail, by the names of fields."""

    trail: Mapping[str, str] = {}  # added, changed and deleted -> an action of the trail

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # Any: Django's own
        """A row that was made."""
        record(self.trail["added"], target=obj, now=timezone.now())
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # Any: Django's own
        """A row of which something was changed."""
        if message:
            record(self.trail["changed"], target=obj, now=timezone.now(), fields=_fields_in(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:  # Any: Django's own
        """Rows that are to be deleted."""
        for row in queryset:
            record(self.trail["deleted"], target=row, now=timezone.now())
        return super().log_deletions(request, queryset)


def _fields_in(message: Any) -> str:  # Any: what Django's forms tell of a change
    if isinstance(message, str):
        return message
    return ", ".join(str(field) for part in message for field in part.get("changed", {}).get("fields", ()))


class AsksReason(ReachAdmin):
    """An admin whose actions ask for a reason on a page of their own before they do anything."""

    def with_reason(
        self, request: HttpRequest, queryset: QuerySet[Any], *, title: str, do: Callable[[QuerySet[Any], str], str]
    ) -> HttpResponse | None:
        """Show the page; once a reason is given, call ``do(rows, reason)`` and show the sentence it returns."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            try:
                self.message_user(request, do(queryset, form.cleaned_data["reason"]))
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.model._meta,
            "form": form,
            "rows": queryset,
            "action": request.POST["action"],
            "select_across": request.POST.get("select_across", "0"),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "console/ask_reason.html", context)
