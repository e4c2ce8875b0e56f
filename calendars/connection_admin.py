"""The console's pages of tenant connections: how each is doing, entering, testing, and how to set one up.

They stand on this floor because a test reads mailboxes.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.connection_form import ConnectionForm
from accounts.console import SealedAdmin
from accounts.models import TenantConnection
from accounts.reach import may, reaches_all
from accounts.services.connections import ensure_connections_from_environment, save_connection
from calendars.connection_guide import guide_for
from calendars.directory_page import DirectoryPages
from calendars.probe.service import probe_connection
from calendars.probe.steps import Outcome, Step, from_json, worst
from calendars.probe.subject import NAMES
from calsync.engine.events import Platform

COLOURS = {
    "healthy": "success", "importing": "info", "catching_up": "info", "delayed": "warning", "action_required": "danger"
}  # fmt: skip
LABELS = {
    Outcome.OK: ("success", "works"),
    Outcome.WARNING: ("warning", "look at this"),
    Outcome.PROBLEM: ("danger", "does not work"),
    Outcome.UNTRIED: ("", "not tried"),
}
"""How a step's outcome is shown: the theme's kind of label, and its word."""

PLATFORMS = tuple(platform.value for platform in Platform)
PUBLIC = ("platform", "name", "tenant", "client", "mail_domains")


class TestForm(forms.Form):
    """Which mailbox to try."""

    address = forms.EmailField(
        label="Mailbox to try",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "email", "autocomplete": "off"}),
        help_text="Empty: up to three that are mapped to this connection. It is read, and nothing is written.",
    )

    def clean_address(self) -> str:
        """In its one spelling."""
        return str(self.cleaned_data["address"]).lower()


@admin.register(TenantConnection)
class TenantConnectionAdmin(DirectoryPages, SealedAdmin):
    """How each tenant is reached and doing. The environment's own connection is for looking and testing."""

    form = ConnectionForm
    list_display = ("name", "platform", "tenant", "health", "state_since", "state_reason", "state_remedy",
                    "last_success_at", "expires_on")  # fmt: skip
    list_filter = ("platform", "state")
    search_fields = ("name", "tenant")
    readonly_fields = ("state", "state_since", "state_reason", "state_remedy", "last_success_at", "expires_on")
    change_list_template = "calendars/connection_list.html"
    change_form_outer_before_template = "calendars/connection_panel.html"

    @display(description="State", ordering="state", label=COLOURS)
    def health(self, connection: TenantConnection) -> tuple[str, str]:
        """The state as a coloured word."""
        return connection.state, connection.get_state_display()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not of what the environment configures."""
        return super().has_change_permission(request, obj) and not (obj is not None and obj.from_environment)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: mailboxes point to it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002 - Any: Django's own
        """The platform of a connection stays what it is."""
        return (*self.readonly_fields, "platform") if obj is not None else self.readonly_fields

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # Any: as above
        """Only the platform that was asked for, since only its fields are shown."""
        if db_field.name == "platform" and request.GET.get("platform") in PLATFORMS:
            kwargs["choices"] = [(key, name) for key, name in db_field.choices if key == request.GET["platform"]]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # Any: Django's own signature
        """The platform's own fields, where it is known; for looking, only what there is."""
        health = ("Health", {"fields": self.readonly_fields})
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("platform", "name", "tenant", "client", *self.readonly_fields)}),)
        platform = obj.platform if obj is not None else request.GET.get("platform")
        proofs = (
            (Platform.OUTLOOK, "Microsoft 365", ("client_secret", "secret_ends_on", "certificate")),
            (Platform.GOOGLE, "Google Workspace", ("key_file", "directory_admin")),
        )
        shown = [
            (title, {"fields": fields}) for one, title, fields in proofs if platform not in PLATFORMS or platform == one
        ]
        return ((None, {"fields": PUBLIC}), *shown, *((health,) if obj is not None else ()))

    def get_urls(self) -> list[URLPattern]:
        """The pages of the model, the test, and how to set one up."""
        view = self.admin_site.admin_view
        return [
            path("guide/<slug:platform>/", view(self.guide_view), name="accounts_tenantconnection_guide"),
            path("<path:object_id>/test/", view(self.test_view), name="accounts_tenantconnection_test"),
            path("<path:object_id>/people/", view(self.import_view), name="accounts_tenantconnection_people"),
            path("<path:object_id>/guide/", view(self.own_guide_view), name="accounts_tenantconnection_own_guide"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what the environment configures brought up to date."""
        ensure_connections_from_environment(now=timezone.now())
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One connection, with its test above it."""
        connection = self.get_object(request, unquote(object_id))
        shown = self._tested(request, connection) if connection is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def save_model(self, request: HttpRequest, obj: TenantConnection, form: forms.ModelForm, change: bool) -> None:  # noqa: ARG002
        """Through the service, which seals and attaches mailboxes."""
        save_connection(connection=obj, proof=form.cleaned_data["proof"], now=timezone.now())

    def response_add(self, request: HttpRequest, obj: TenantConnection, post_url_continue: str | None = None) -> Any:
        """What was entered is tested next."""
        if "_addanother" in request.POST or "_continue" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"{obj} is stored. Now test it.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_tenantconnection_test", args=[obj.pk]))

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the last test told, and a button for the next; the test itself is a POST."""
        connection = self._connection(request, object_id)
        if not self._may_test(request, connection):
            raise PermissionDenied
        form = TestForm(request.POST or None)
        if form.is_valid():
            probe_connection(connection=connection, address=form.cleaned_data["address"], now=timezone.now())
            return HttpResponseRedirect(reverse("admin:accounts_tenantconnection_test", args=[connection.pk]))
        context = {**self._tested(request, connection), "form": form}
        return self._page(request, "calendars/connection_test.html", f"Test of {connection}", **context)

    def guide_view(self, request: HttpRequest, platform: str) -> HttpResponse:
        """How to set up a connection that is not there yet."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if platform not in PLATFORMS:
            raise Http404
        return self._guide(request, Platform(platform), None)

    def own_guide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same for one that is there, with what its last test says of each step."""
        connection = self._connection(request, object_id)
        return self._guide(request, Platform(connection.platform), connection)

    def _guide(self, request: HttpRequest, platform: Platform, connection: TenantConnection | None) -> HttpResponse:
        steps = from_json(connection.last_test) if connection else []
        context = {
            **(self._tested(request, connection) if connection else {}),
            "guide": guide_for(platform, connection, here=request.build_absolute_uri("/")),
            "told": {step.name: _shown_worst([one for one in steps if one.name == step.name]) for step in steps},
            "may_add": self.has_add_permission(request),
        }
        title = f"Set up {connection}" if connection else f"Connect {NAMES[platform]}"
        return self._page(request, f"calendars/guide_{platform}.html", title, **context)

    def _connection(self, request: HttpRequest, object_id: str) -> TenantConnection:
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found

    def _may_test(self, request: HttpRequest, connection: TenantConnection) -> bool:
        """As for changing it, and of the environment's as well."""
        return may(request.user, "accounts.change_tenantconnection", connection)

    def _tested(self, request: HttpRequest, connection: TenantConnection) -> dict[str, Any]:
        steps = from_json(connection.last_test)
        return {
            "connection": connection,
            "steps": [(step, *LABELS[step.outcome]) for step in steps],
            "whole": LABELS[worst(steps)],
            "may_test": self._may_test(request, connection),
            "may_import": self._may_test(request, connection) and reaches_all(request.user, "accounts.add_user"),
        }

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, template, {**shared, **context})


def _shown_worst(steps: list[Step]) -> tuple[str, str, str]:
    """Label, word and sentence of the worst of several steps of one name."""
    bad = next(step for step in steps if step.outcome == worst(steps))
    return (*LABELS[bad.outcome], bad.text)
