"""The console's page that switches sync on: say for whom, see what it means, then begin."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts.models import OrgUnit, User
from accounts.reach import reaches_all
from calendars import activation
from calendars.models import Calendar, CalendarQuerySet

SCOPES = (("everybody", "everybody who is mapped"), ("org_unit", "an org unit"), ("person", "a person"))
READ_AHEAD, PATIENCE = 5, 10.0  # people whose calendars are read for the page, and seconds after which it is enough
SHOWN = 20


class ActivationForm(forms.Form):
    """For whom, and how."""

    scope = forms.ChoiceField(choices=SCOPES, label="For", widget=UnfoldAdminSelectWidget)
    org_unit = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="for an org unit and all below it: its path, such as /Sales/EMEA",
    )
    person = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="for a person: their e-mail address"
    )
    from_now = forms.BooleanField(
        required=False,
        label="Leave existing events alone",
        widget=UnfoldBooleanSwitchWidget,
        help_text="Only what is new from now on is copied. Off: existing events are paired and copied, too.",
    )

    def clean_org_unit(self) -> OrgUnit | None:
        """The unit of that path."""
        path = self.cleaned_data["org_unit"].strip()
        unit = OrgUnit.objects.filter(path="/" + path.strip("/")).first()
        if path and unit is None:
            raise forms.ValidationError("There is no such org unit.")
        return unit

    def clean_person(self) -> User | None:
        """The person of that address."""
        email = self.cleaned_data["person"].strip().lower()
        person = User.objects.filter(email=email).first()
        if email and person is None:
            raise forms.ValidationError("There is no such person.")
        return person

    def clean(self) -> dict[str, Any]:
        """The one field that belongs to the choice is filled in."""
        cleaned = super().clean() or {}
        wanted = cleaned.get("scope", "")
        if wanted in cleaned and cleaned[wanted] is None:
            self.add_error(wanted, "Say which one.")
        return cleaned

    def calendars(self) -> CalendarQuerySet:
        """What the form names."""
        chosen = self.cleaned_data
        found = Calendar.objects.all()
        if chosen["scope"] == "org_unit":
            found = found.filter(account__person__in=User.objects.in_unit(chosen["org_unit"]))
        if chosen["scope"] == "person":
            found = found.filter(account__person=chosen["person"])
        return activation.in_scope(found)


def activate_sync(request: HttpRequest) -> HttpResponse:
    """Ask for whom; then show what it means; on the second button, begin."""
    if not reaches_all(request.user, "calendars.change_calendar"):
        raise PermissionDenied
    form = ActivationForm(request.POST or None)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        calendars, from_now = form.calendars(), form.cleaned_data["from_now"]
        begins = "begin" in request.POST
        context = _meaning(calendars, from_now=from_now, reads=not begins)
        if begins and context["may_begin"]:
            count = activation.begin(calendars=calendars, from_now=from_now, now=timezone.now())
            messages.success(request, f"{count} calendars are switched on. Workers import them now.")
            return HttpResponseRedirect(reverse("admin:calendars_calendar_changelist"))
    page = {**admin.site.each_context(request), "title": "Switch sync on", "opts": Calendar._meta, "form": form}
    return TemplateResponse(request, "calendars/activate.html", {**page, **context})


def _meaning(calendars: CalendarQuerySet, *, from_now: bool, reads: bool) -> dict[str, Any]:
    """A template's context: counts from rows, and from reading the first few people's calendars."""
    found = activation.concerned(calendars)
    out_of_reach = [address for _, address in islice(activation.unreached(calendars), SHOWN + 1)]
    may_begin = bool(found.calendars) and not out_of_reach
    ahead = None
    if may_begin and reads:
        ahead = activation.read_ahead(
            calendars, from_now=from_now, now=timezone.now(), most=READ_AHEAD, seconds=PATIENCE
        )
    return {
        "found": found,
        "out_of_reach": out_of_reach[:SHOWN],
        "more": len(out_of_reach) > SHOWN,
        "may_begin": may_begin,
        "ahead": ahead,
    }
