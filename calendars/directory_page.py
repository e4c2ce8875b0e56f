"""The console's page that imports a tenant's directory: first what would change, then the change.

It reads while the browser waits. A directory that takes longer than that is for the command.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts.gateway import UNIT_FIELDS, read_directory
from accounts.models import TenantConnection
from accounts.reach import reaches_all
from accounts.sealing import SealBroken
from accounts.services.directory import DirectoryOutcome, DirectoryRefused, known_ids
from accounts.timezones import zone_problem
from calendars.intake import bring_in_directory
from calendars.probe.errands import Errands
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError
from calsync.providers.people import DirectoryReading

PATIENCE = 20.0  # seconds; a web server gives up on its worker after thirty
SHOWN = 300  # lines of a preview


class DirectoryForm(forms.Form):
    """How a directory is taken."""

    time_zone = forms.CharField(
        initial="UTC", widget=UnfoldAdminTextInputWidget, help_text="for new people of whom the directory tells none"
    )
    unit_from = forms.ChoiceField(
        label="Org unit from",
        choices=[(field, field) for field in UNIT_FIELDS],
        widget=UnfoldAdminSelectWidget,
        help_text="the property that names the org unit",
    )
    force = forms.BooleanField(
        label="Even if many would leave",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="A directory that suddenly lacks many people is refused otherwise.",
    )

    def __init__(self, *args: Any, platform: Platform, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if platform == Platform.GOOGLE:
            del self.fields["unit_from"]  # its directory has a tree

    def clean_time_zone(self) -> str:
        """A zone that there is."""
        zone = str(self.cleaned_data["time_zone"])
        if problem := zone_problem(zone):
            raise forms.ValidationError(f"{problem}.")
        return zone


def command_of(connection: TenantConnection) -> str:
    """The command that does the same."""
    source = "microsoft" if connection.platform == Platform.OUTLOOK else "google"
    return f"manage.py import_directory --from {source} --connection '{connection.name}'"


class NotRead(Exception):
    """The directory could not be read or taken; the text is for a person."""


class DirectoryPages:
    """The page of one connection, for its admin."""

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how, show what would change, and do it on the second button."""
        connection = self._connection(request, object_id)  # type: ignore[attr-defined]  # of the admin
        if not all(reaches_all(request.user, right) for right in ("accounts.add_user", "accounts.change_user")):
            raise PermissionDenied
        form = DirectoryForm(request.POST or None, platform=Platform(connection.platform))
        context: dict[str, Any] = {"form": form, "connection": connection, "command": command_of(connection)}
        if request.method == "POST" and form.is_valid():
            applies = "apply" in request.POST
            try:
                outcome = take_directory(connection, **form.cleaned_data, dry_run=not applies)
            except NotRead as error:
                form.add_error(None, str(error))
            else:
                if applies:
                    people = outcome.mapping.people
                    text = f"{people.created} people are new, {people.updated} changed, {len(outcome.left)} left."
                    messages.success(request, text)
                    return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
                context |= {"outcome": outcome, "notes": outcome.notes[:SHOWN], "count": len(outcome.notes)}
                context["more"] = max(0, len(outcome.notes) - SHOWN)
        title = f"People from {connection}"
        return self._page(request, "calendars/directory.html", title, **context)  # type: ignore[attr-defined]  # as above


def take_directory(
    connection: TenantConnection,
    *,
    time_zone: str,
    force: bool,
    dry_run: bool,
    unit_from: str = UNIT_FIELDS[0],
    patience: float = PATIENCE,
) -> DirectoryOutcome:
    """Read a directory and bring it in, or see what that would do; raises NotRead."""
    try:
        reading = _read(connection, unit_from=unit_from, patience=patience)
        outcome, _ = bring_in_directory(
            reading=reading,
            connection=connection,
            now=timezone.now(),
            time_zone=time_zone,
            force=force,
            dry_run=dry_run,
        )
    except (ProviderError, SealBroken) as error:
        raise NotRead(f"The directory could not be read, nothing was changed. {error} {error.remedy}") from None
    except DirectoryRefused as error:
        raise NotRead(str(error)) from None
    except IntegrityError:
        raise NotRead("The same people were changed by somebody else at this moment; nothing was applied.") from None
    return outcome


def _read(connection: TenantConnection, *, unit_from: str, patience: float) -> DirectoryReading:
    """Within the patience of a browser; what asks the database is asked before the thread begins."""
    known = known_ids(connection)
    connection.refresh_from_db(fields=["credentials"])
    errands: Errands[DirectoryReading] = Errands()
    read = partial(read_directory, connection, known=known, unit_from=unit_from)
    errands.send(lambda: [read()], late=[])
    found = errands.collect(seconds=patience)
    if not found:
        raise NotRead(
            f"The directory takes too long for this page, nothing was changed. Run {command_of(connection)} instead."
        )
    return found[0]
