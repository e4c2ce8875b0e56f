"""The console's pages of people and of groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm  # the theme's own insists on the password
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from accounts.admin.roles import RolePages
from accounts.console import KeepsTrail, ReachAdmin
from accounts.models import User
from accounts.models.people import UserQuerySet
from accounts.services.people import be_on_one_platform

admin.site.unregister(Group)


GUARDED = ("email", "clearance")
"""Fields by which somebody could become somebody else or see more: for IT administrators."""

BY_ROLES = ("roles_held", "is_staff", "is_superuser", "groups", "user_permissions")
"""Rights are given as roles, with a reason and a line in the audit trail, and not by this form."""


class PersonCreationForm(UserCreationForm):
    """A new person: by e-mail."""

    class Meta:
        model = User
        fields = ("email", "name")


class PersonChangeForm(UserChangeForm):
    """Everything about a person but the password, which has a page of its own."""

    class Meta:
        model = User
        fields = "__all__"


class OnOnePlatform(admin.SimpleListFilter):
    """Whom no mailbox on the other platform was found for."""

    title = "other platform"
    parameter_name = "unmatched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """The one choice beside all."""
        return [("yes", "unmatched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Those who are unmatched."""
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=User.objects.on_one_platform().order_by().values("pk"))


@admin.register(User)
class PersonAdmin(KeepsTrail, RolePages, DjangoUserAdmin, ReachAdmin):
    """People: where they belong, what they may see, whether they are active."""

    trail = {"added": "person.added", "changed": "person.changed"}  # nobody is deleted
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "org_unit", "time_zone", "clearance", "is_active", "is_staff")
    list_filter = (OnOnePlatform, "is_active", "is_staff", "clearance", "time_zone")
    list_select_related = ("org_unit",)
    search_fields = ("email", "name", "org_unit__path")
    ordering = ("email",)
    autocomplete_fields = ("org_unit", "manager")
    readonly_fields = ("last_login", "created_at")
    actions = ("single_platform_is_right",)
    actions_list = ("from_file",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Place", {"fields": ("org_unit", "manager", "clearance", "single_platform")}),
        ("Time", {"fields": ("time_zone", "work_starts_at", "work_ends_at", "work_days")}),
        ("Rights", {"fields": ("roles_held", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Who somebody is and what they may see or do is for IT administrators alone, whoever else may change a row."""
        shown = (*super().get_readonly_fields(request, obj), *BY_ROLES)
        return shown if request.user.is_superuser else (*shown, *GUARDED)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # Any: Django's own
        """Without the password's hash, which a page that may only be looked at would show in clear."""
        shown = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return shown
        return [(name, {"fields": tuple(f for f in part["fields"] if f != "password")}) for name, part in shown]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An IT administrator's row is changed by IT administrators."""
        is_guarded = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_guarded

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """For IT administrators: whoever sets a password can log in by it."""
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    @admin.action(description="On one platform only: that is right", permissions=["change"])
    def single_platform_is_right(self, request: HttpRequest, queryset: UserQuerySet) -> None:
        """Take people off the list of the unmatched."""
        count = be_on_one_platform(people=queryset, now=timezone.now())
        self.message_user(request, f"{count} people are not listed as unmatched any more.")

    @action(description="Load or export a file", permissions=["file"], url_path="from-file")
    def from_file(self, request: HttpRequest) -> HttpResponseRedirect:  # noqa: ARG002
        """Lead to the page of the people's file."""
        return HttpResponseRedirect(reverse("people-file"))

    def has_file_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Who may load people."""
        return request.user.has_perms(("accounts.add_user", "accounts.change_user"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: a person who leaves is deactivated; their calendars' history stays explainable."""
        return False


@admin.register(Group)
class GroupAdmin(KeepsTrail, DjangoGroupAdmin, ModelAdmin):
    """Groups of rights, in the console's looks."""

    trail = {"added": "rights.added", "changed": "rights.changed", "deleted": "rights.deleted"}
