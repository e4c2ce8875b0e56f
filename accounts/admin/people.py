"""The console's pages of people and of groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import User

admin.site.unregister(Group)


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


@admin.register(User)
class PersonAdmin(DjangoUserAdmin, ModelAdmin):
    """People: where they belong, what they may see, whether they are active."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "org_unit", "time_zone", "clearance", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "clearance", "time_zone")
    list_select_related = ("org_unit",)
    search_fields = ("email", "name", "org_unit__path")
    ordering = ("email",)
    autocomplete_fields = ("org_unit", "manager")
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Place", {"fields": ("org_unit", "manager", "clearance")}),
        ("Time", {"fields": ("time_zone", "work_starts_at", "work_ends_at", "work_days")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: a person who leaves is deactivated; their calendars' history stays explainable."""
        return False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups of rights, in the console's looks."""
