"""The console's page of switches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from accounts.console import AsksReason, ReadOnlyAdmin
from accounts.models import Clearance, OrgUnit, PeopleGroup, User
from accounts.models.health import MAX_REASON
from accounts.models.mailboxes import PLATFORMS
from accounts.reach import reaches_all, units_reached, visible_to
from calsync.engine.events import Platform
from syncrules.models import Scope, Switch
from syncrules.services import Target, switch_off, switch_on

MAY_SWITCH = "syncrules.change_switch"


class SwitchOffForm(forms.Form):
    """Whom to hold back, and why."""

    scope = forms.ChoiceField(choices=Scope, label="For", widget=UnfoldAdminSelectWidget)
    platform = forms.ChoiceField(
        choices=[("", "-"), *PLATFORMS], required=False, widget=UnfoldAdminSelectWidget, help_text="for a platform"
    )
    clearance = forms.TypedChoiceField(
        choices=[("", "-"), *Clearance.choices],
        coerce=lambda level: Clearance(int(level)),
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="for everybody with a clearance level: exactly this one",
    )
    org_unit = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="for an org unit: its path, such as /Sales/EMEA"
    )
    group = forms.ModelChoiceField(
        PeopleGroup.objects.all(), required=False, widget=UnfoldAdminSelectWidget, help_text="for a group of people"
    )
    person = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="for a person: their e-mail address"
    )
    holds_from = forms.SplitDateTimeField(
        label="From", required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC; empty: at once"
    )
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, viewer: Any, **kwargs: Any) -> None:  # Any: as a form takes them
        super().__init__(*args, **kwargs)
        self._viewer = viewer

    def clean_scope(self) -> str:
        """What concerns everybody is for those who reach everybody."""
        scope = str(self.cleaned_data["scope"])
        if scope not in (Scope.ORG_UNIT, Scope.PERSON) and not reaches_all(self._viewer, MAY_SWITCH):
            raise forms.ValidationError("You may switch sync off for a unit or a person within your reach.")
        return scope

    def clean_org_unit(self) -> OrgUnit | None:
        """The unit of that path."""
        path = self.cleaned_data["org_unit"]
        unit = units_reached(self._viewer, MAY_SWITCH).filter(path=path).first()
        if path and unit is None:
            raise forms.ValidationError("There is no such org unit.")
        return unit

    def clean_person(self) -> User | None:
        """The person of that address."""
        email = self.cleaned_data["person"]
        people = User.objects.filter(email=email)
        person = visible_to(people, self._viewer, right="accounts.change_user").first()
        if email and person is None:
            raise forms.ValidationError("There is no such person.")
        return person

    def clean(self) -> dict[str, Any]:
        """The one target field that belongs to the scope is filled in; what the others hold does not count."""
        cleaned = super().clean() or {}
        wanted = cleaned.get("scope", "")
        if wanted in cleaned and cleaned[wanted] in (None, ""):
            self.add_error(wanted, "Say which one.")
        return cleaned

    def target(self) -> Target:
        """What the form names."""
        chosen = self.cleaned_data
        makers = {
            Scope.EVERYBODY: Target.everybody,
            Scope.PLATFORM: lambda: Target.whole_platform(Platform(chosen["platform"])),
            Scope.CLEARANCE: lambda: Target.cleared_for(chosen["clearance"]),
            Scope.GROUP: lambda: Target.members_of(chosen["group"]),
            Scope.ORG_UNIT: lambda: Target.unit(chosen["org_unit"]),
            Scope.PERSON: lambda: Target.one_person(chosen["person"]),
        }
        return makers[Scope(chosen["scope"])]()


@admin.register(Switch)
class SwitchAdmin(AsksReason, ReadOnlyAdmin):
    """What is switched off, since when, by whom and why. Rows change by the two actions only."""

    list_display = ("target", "scope", "is_on", "since", "holds_from", "reason", "changed_by")
    list_filter = ("is_on", "scope", "platform")
    list_select_related = ("org_unit", "group", "person", "changed_by")
    search_fields = ("reason", "org_unit__path", "group__name", "person__email")
    fields = ("target", "scope", "is_on", "since", "holds_from", "reason", "changed_by")
    verbs = {"switch": "change"}
    actions_list = ("switch_sync_off",)
    actions = ("switch_on_again",)

    def has_switch_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Who may use the two actions."""
        return request.user.has_perm(MAY_SWITCH)

    @action(description="Switch sync off ...", permissions=["switch"], url_path="switch-off")
    def switch_sync_off(self, request: HttpRequest) -> HttpResponse:
        """Ask whom it concerns and why, then hold sync back."""
        form = SwitchOffForm(request.POST or None, viewer=request.user)
        if form.is_valid():
            switch = switch_off(
                target=form.target(),
                reason=form.cleaned_data["reason"],
                by=_actor(request),
                now=timezone.now(),
                holds_from=form.cleaned_data["holds_from"],
            )
            when = f" from {switch.holds_from:%Y-%m-%d %H:%M} UTC on" if switch.holds_from else ""
            self.message_user(request, f"Sync is off for {switch.target}{when}.")
            return HttpResponseRedirect(reverse("admin:syncrules_switch_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Switch sync off",
            "opts": self.model._meta,
            "form": form,
        }
        return TemplateResponse(request, "console/ask.html", context)

    @admin.action(description="Switch sync on again ...", permissions=["switch"])
    def switch_on_again(self, request: HttpRequest, queryset: QuerySet[Switch]) -> HttpResponse | None:
        """Ask why, then let sync run for the selected targets."""

        def do(switches: QuerySet[Switch], reason: str) -> str:
            names = [switch.target for switch in switches]
            for switch in switches:
                switch_on(target=Target.of(switch), reason=reason, by=_actor(request), now=timezone.now())
            return f"Sync is on again for {', '.join(names)}."

        return self.with_reason(request, queryset, title="Switch sync on again", do=do)


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
