"""The console's pages of people and of groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import User
from accounts.models.people import UserQuerySet
from accounts.services.people import be_on_one_platform

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
class PersonAdmin(DjangoUserAdmin, ModelAdmin):
    """People: where they belong, what they may see, whether they are active."""

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
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

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
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups of rights, in the console's looks."""
