"""Giving and taking roles in the console, from the page of a person and from the page of a unit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from guardian.models import UserObjectPermission
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import OrgUnit, User
from accounts.models.health import MAX_REASON
from accounts.reach import roles_for_all, unit_roles, visible_to
from accounts.roles import GRANT_ROLE, Role
from accounts.services.roles import grant_role, revoke_role


class RoleForm(forms.Form):
    """Who, as what, where, and why."""

    person = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="their e-mail address")
    role = forms.ChoiceField(choices=Role, widget=UnfoldAdminSelectWidget)
    unit = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="such as /Sales/EMEA; empty for the whole organisation",
    )
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, viewer: Any, **kwargs: Any) -> None:  # Any: as a form takes them
        super().__init__(*args, **kwargs)
        self._viewer = viewer

    def clean_person(self) -> User:
        """The person of that address, among those within reach."""
        address = self.cleaned_data["person"].strip().lower()
        person = visible_to(User.objects.filter(email=address), self._viewer).first()
        if person is None:
            raise forms.ValidationError("There is no such person within your reach.")
        return person

    def clean_unit(self) -> OrgUnit | None:
        """The unit of that path, among those within reach."""
        path = self.cleaned_data["unit"].strip()
        unit = visible_to(OrgUnit.objects.filter(path=path), self._viewer).first()
        if path and unit is None:
            raise forms.ValidationError("There is no such org unit within your reach.")
        return unit


class RolePages(ModelAdmin):
    """Two buttons on the page of a person or unit: give a role, take a role away."""

    actions_detail = ("grant_a_role", "revoke_a_role")

    def has_grant_permission(self, request: HttpRequest, object_id: Any = None) -> bool:  # noqa: ARG002 - the theme's
        """Who may use them at all; the service asks again, for the role, the person and the unit."""
        return request.user.has_perm(GRANT_ROLE)

    @action(description="Give a role ...", permissions=["grant"], url_path="grant-role")
    def grant_a_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask who, as what and where, and why; then give the role."""
        return self._ask(request, object_id, do=grant_role, title="Give a role", told="now is")

    @action(description="Take a role away ...", permissions=["grant"], url_path="revoke-role")
    def revoke_a_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The other way round."""
        return self._ask(request, object_id, do=revoke_role, title="Take a role away", told="is not any more")

    def _ask(self, request: HttpRequest, object_id: str, *, do: Any, title: str, told: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        named = {"person": row.email} if isinstance(row, User) else {"unit": row.path}
        form = RoleForm(request.POST or None, viewer=request.user, initial=named)
        if form.is_valid():
            asked = form.cleaned_data
            role = Role(asked["role"])
            try:
                do(**{**asked, "role": role}, by=request.user, now=timezone.now())
            except (PermissionDenied, ValidationError) as error:
                form.add_error(None, " ".join(getattr(error, "messages", [str(error)])))
            else:
                self.message_user(request, f"{asked['person']} {told} {role.label}.", messages.SUCCESS)
                return HttpResponseRedirect("../change/")
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta, "form": form}
        return TemplateResponse(request, "console/ask.html", context)

    def roles_held(self, row: User | OrgUnit) -> str:
        """Who holds which role, or where somebody does."""
        lines = _of_person(row) if isinstance(row, User) else _at_unit(row)
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines)) or "none"

    roles_held.short_description = "roles"  # type: ignore[attr-defined]  # Django's way to name a column


def _of_person(person: User) -> list[str]:
    if person.pk is None:
        return []
    held = unit_roles(person)
    paths = {
        str(pk): path for pk, path in OrgUnit.objects.filter(pk__in=[pk for _, pk in held]).values_list("pk", "path")
    }
    everywhere = [f"{role.label}, whole organisation" for role in roles_for_all(person)]
    return everywhere + [f"{role.label}, {paths.get(pk, 'a unit that is gone')}" for role, pk in held]


def _at_unit(unit: OrgUnit) -> list[str]:
    held = UserObjectPermission.objects.filter(
        permission__content_type__app_label="accounts", permission__codename__in=Role.values, object_pk=str(unit.pk)
    )
    pairs = held.order_by("user__email").values_list("user__email", "permission__codename")
    return [f"{email}: {Role(codename).label}" for email, codename in pairs]
