"""How the console behaves in every app: rows that the engine owns are read-only, and whoever acts gives a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models.health import MAX_REASON
from accounts.sealing import sealed_fields


class SealedAdmin(ModelAdmin):
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


class AsksReason(ModelAdmin):
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
