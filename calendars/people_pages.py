"""The console's pages that bring people in: found mailboxes to decide, the people's file to load and to save.

They stand on this floor because whoever comes in gets calendars as well. All of them call the services of ``intake``.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.console import ReadOnlyAdmin
from accounts.mapping.writing import people_as_csv
from accounts.models import FoundMailbox, User
from accounts.reach import reaches_all
from accounts.services.found import ignore_found
from accounts.services.mapping import check_mapping
from calendars import intake

SHOWN = 300  # lines of a preview
MOST_BYTES = 20_000_000
_KEPT = "people_file"


class ChoiceForm(forms.Form):
    """Whose the selected mailbox is."""

    person = forms.CharField(
        label="Person", widget=UnfoldAdminTextInputWidget, help_text="the e-mail address they log in with"
    )

    def clean_person(self) -> User:
        """The person of that address."""
        found = User.objects.filter(email=self.cleaned_data["person"]).first()
        if found is None:
            raise forms.ValidationError("There is no such person.")
        return found


@admin.register(FoundMailbox)
class FoundMailboxAdmin(ReadOnlyAdmin):
    """Mailboxes of a directory that nobody could place for certain. Each waits for one of four answers."""

    list_display = ("address", "platform", "name", "candidate", "why", "state")
    list_filter = ("state", "platform", "connection")
    list_select_related = ("candidate",)
    search_fields = ("address", "name", "candidate__email")
    fields = ("address", "platform", "connection", "name", "org_unit", "aliases", "candidate", "reason", "state")
    verbs = {"map": "change"}
    actions = ("confirm", "choose", "make_people", "ignore")

    def has_map_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Who may say whose a mailbox is."""
        return request.user.has_perm("accounts.change_foundmailbox")

    @admin.display(description="why", ordering="reason")
    def why(self, row: FoundMailbox) -> str:
        """The reason in short; the row's page has all of it."""
        return row.reason.partition(":")[0]

    @admin.action(description="Confirm the candidate", permissions=["map"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[FoundMailbox]) -> None:
        """Link each to its candidate."""
        self._settle(request, lambda: intake.confirm_found(found=queryset, now=timezone.now()))

    @admin.action(description="Make new people", permissions=["map"])
    def make_people(self, request: HttpRequest, queryset: QuerySet[FoundMailbox]) -> None:
        """Each belongs to somebody who is not known yet."""
        self._settle(request, lambda: intake.make_people_of_found(found=queryset, now=timezone.now()))

    @admin.action(description="Ignore", permissions=["map"])
    def ignore(self, request: HttpRequest, queryset: QuerySet[FoundMailbox]) -> None:
        """Leave them alone from now on."""
        self.message_user(
            request, f"{ignore_found(found=queryset, now=timezone.now())} mailboxes are left alone from now on."
        )

    @admin.action(description="Choose another person ...", permissions=["map"])
    def choose(self, request: HttpRequest, queryset: QuerySet[FoundMailbox]) -> HttpResponse | None:
        """Ask whose the mailbox is."""
        form = ChoiceForm(request.POST if "person" in request.POST else None)
        if form.is_valid():
            person = form.cleaned_data["person"]
            self._settle(request, lambda: intake.give_found(found=queryset, person=person, now=timezone.now()))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Whose mailbox is this?",
            "opts": self.model._meta,
            "form": form,
            "rows": queryset,
            "action": "choose",
            "select_across": "0",
            "checkbox": admin.helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "console/ask_reason.html", context)

    def _settle(self, request: HttpRequest, do: Any) -> None:  # Any: one of the services, its arguments bound
        try:
            count = do()
        except (ValidationError, IntegrityError) as error:
            text = " ".join(error.messages) if isinstance(error, ValidationError) else "Somebody else was faster."
            self.message_user(request, f"Nothing was changed. {text}", messages.ERROR)
        else:
            self.message_user(request, f"{count} mailboxes were linked.")


class FileForm(forms.Form):
    """A mapping file."""

    file = forms.FileField(
        label="CSV file",
        help_text="columns as in the export; semicolon or tab will do as well",
        widget=forms.FileInput(
            attrs={"accept": ".csv,text/csv", "class": "border border-base-200 rounded-default px-3 py-2 w-full"}
        ),
    )

    def clean_file(self) -> bytes:
        """Its bytes."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError("The file is too large for this page: use manage.py map_org_units.")
        data: bytes = file.read()
        return data


def people_file(request: HttpRequest) -> HttpResponse:
    """Load a mapping file: first the preview, then, if it is wanted, the change."""
    _check(request, "accounts.add_user", "accounts.change_user")
    if request.method == "POST" and "apply" in request.POST:
        return _apply(request)
    form = FileForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        context |= _preview(request, form.cleaned_data["file"])
    page = {**admin.site.each_context(request), "title": "People from a file", "opts": User._meta, **context}
    return TemplateResponse(request, "console/people_file.html", page)


def people_export(request: HttpRequest) -> HttpResponse:
    """Everybody as a mapping file."""
    _check(request, "accounts.view_user")
    answer = HttpResponse(people_as_csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="people.csv"'
    return answer


def _check(request: HttpRequest, *permissions: str) -> None:
    """These pages concern everybody, so the rights must reach everybody."""
    if not all(reaches_all(request.user, right) for right in permissions):
        raise PermissionDenied


def _preview(request: HttpRequest, data: bytes) -> dict[str, Any]:  # Any: a template's context
    """What the file would do; it is kept in the session until it is applied or another one comes."""
    request.session.pop(_KEPT, None)
    checked = check_mapping(data)
    if checked.problems:
        return {"problems": _cut([str(one) for one in checked.problems]), "count": len(checked.problems)}
    brought = intake.bring_in_rows(rows=checked.rows, now=timezone.now(), dry_run=True)
    request.session[_KEPT] = b64encode(zlib.compress(data)).decode()
    notes = [f"line {line}: {what}" for line, what in brought.outcome.notes]
    return {"brought": brought, "notes": _cut(notes), "count": len(notes), "more": max(0, len(notes) - SHOWN)}


def _cut(lines: Sequence[str]) -> Sequence[str]:
    return lines[:SHOWN]


def _apply(request: HttpRequest) -> HttpResponse:
    kept = request.session.pop(_KEPT, "")
    here = HttpResponseRedirect(reverse("people-file"))
    checked = check_mapping(zlib.decompress(b64decode(kept))) if kept else None
    if checked is None or checked.problems:
        messages.error(request, "There is no file, or people have changed since the preview: load it again.")
        return here
    try:
        brought = intake.bring_in_rows(rows=checked.rows, now=timezone.now())
    except IntegrityError:
        messages.error(request, "The same people were changed by somebody else at this moment; load the file again.")
        return here
    people = brought.outcome.people
    messages.success(request, f"{people.created} people were created, {people.updated} were changed.")
    return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
