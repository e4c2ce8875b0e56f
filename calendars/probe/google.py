"""The probe of a Google Workspace domain: the key first, as the account itself; then what is delegated to it."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.gateway import google_endpoints
from calendars.probe.steps import Step, ok, problem, untried, warning
from calendars.probe.subject import Subject
from calendars.probe.trying import Tried, mailbox_steps, try_mailboxes, unreachable
from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    MailboxUnavailable,
    ProviderError,
    Transient,
)
from calsync.providers.google.directory import SCOPES as DIRECTORY_SCOPES
from calsync.providers.google.probe import GoogleProbe
from calsync.providers.google.provider import SCOPES, GoogleCredentials

_DELEGATE = (
    "In the Google Admin console (Security, Access and data control, API controls, Manage domain-wide delegation) add "
    "the client id {client} with the scopes {scopes}. Give all of them: an entry that is edited replaces the former "
    "list."
)
_CALENDAR_API = "Enable the Google Calendar API in the service account's Google Cloud project."
_ADMIN_API = "Enable the Admin SDK API in the service account's Google Cloud project."
_SERVICE = (
    "In the Google Admin console, see that Calendar is on for this person's org unit and that API controls (App access "
    "control) do not block the service account."
)
_KEY = (
    "Make a new key for the service account and enter it on the connection's page in the console.",
    "Check this machine's clock; make a new key for the service account and set GOOGLE_SERVICE_ACCOUNT_FILE.",
)
_REFUSED = {
    "clock": ("Google finds our token request too old or too new.", "Set this machine's clock (NTP)."),
    "signature": ("Google does not know the key: it was deleted or belongs to another account.", ""),
    "account": ("Google does not know the service account: it was deleted or disabled.", ""),
}


def try_google(subject: Subject) -> list[Step]:
    """Every step that can be reached. Asks the provider, not the database."""
    credentials = subject.credentials
    assert isinstance(credentials, GoogleCredentials)
    reached = ok("reach", "The token service answers.")
    try:
        probe = GoogleProbe(credentials, google_endpoints())
        probe.account()
    except Transient as error:
        return [unreachable(subject, error)]
    except ProviderError as error:
        return [reached, problem("credentials", *_key_refused(subject, error))]
    accepted = ok("credentials", "Google accepts the service account's key.")
    client = str(credentials.service_account_info.get("client_id") or "of the service account")
    try:
        return [reached, accepted, *_calendar(subject, probe, client), _directory(subject, probe, client)]
    except Transient as error:
        return [unreachable(subject, error), accepted]


def _calendar(subject: Subject, probe: GoogleProbe, client: str) -> list[Step]:
    steps = [_permissions(subject, probe, client)]
    if steps[0].outcome == "problem":
        return steps
    tried = try_mailboxes(subject, probe.calendars)
    steps += mailbox_steps(subject, tried, lambda one: _mailbox_refused(subject, one, client))
    if any(one.works for one in tried):
        steps.append(ok("zones", "Google tells each calendar's time zone with it."))
    return steps


def _permissions(subject: Subject, probe: GoogleProbe, client: str) -> Step:
    """Ask as the first person whom Google knows."""
    for address in subject.mailboxes:
        try:
            missing = probe.missing(address, SCOPES)
        except MailboxUnavailable:
            continue  # its line says so
        except AuthenticationFailed as error:
            return problem("permissions", str(error), _SERVICE)
        if missing:
            return problem("permissions", *_not_delegated(missing, SCOPES, client))
        return ok("permissions", "The calendar scopes are delegated to the service account.")
    if subject.mailboxes:
        return untried("permissions", "Delegation could not be tried: Google knows none of the addresses.")
    return untried("permissions", "Delegation shows only when acting as a person: a mailbox has to be tried.")


def _not_delegated(missing: Sequence[str], wanted: Sequence[str], client: str) -> tuple[str, str]:
    none = len(missing) == len(wanted)
    what = f"none of {', '.join(wanted)}" if none else f"not {', '.join(missing)}"
    return f"Domain-wide delegation gives the service account {what}.", _DELEGATE.format(
        client=client, scopes=",".join([*SCOPES, *DIRECTORY_SCOPES])
    )


def _mailbox_refused(subject: Subject, one: Tried, client: str) -> tuple[str, str]:
    error = one.error
    if error is None:
        return f"{subject.provider} does not let us write the primary calendar of {one.address}.", _SERVICE
    if error.code == "accessNotConfigured":
        return f"{one.address}: {error}", _CALENDAR_API
    if error.code in {"unauthorized_client", "insufficientPermissions"}:
        return f"{one.address}: {error}", _DELEGATE.format(client=client, scopes=",".join(SCOPES))
    return f"{one.address}: {error}", _SERVICE if isinstance(error, AccessDenied) else error.remedy


def _directory(subject: Subject, probe: GoogleProbe, client: str) -> Step:
    if not subject.admin:
        where = "on the connection's page" if subject.own else "in GOOGLE_ADMIN_SUBJECT"
        remedy = f"To import people, name a Workspace administrator to act as {where}."
        return untried("directory", "No administrator is named to act as: people are mapped from a file.", remedy)
    try:
        if missing := probe.missing(subject.admin, DIRECTORY_SCOPES):
            return warning("directory", *_not_delegated(missing, DIRECTORY_SCOPES, client))
        probe.directory(subject.admin)
    except MailboxUnavailable as error:
        return warning("directory", f"{subject.admin}: {error}", "Name an administrator who exists and is active.")
    except Transient:
        raise
    except ProviderError as error:
        remedy = "Give this administrator a role with the right to read users and org units, such as User Management."
        return warning(
            "directory", f"{subject.admin}: {error}", _ADMIN_API if error.code == "accessNotConfigured" else remedy
        )
    return ok("directory", f"Acting as {subject.admin}, people and org units can be read.")


def _key_refused(subject: Subject, error: ProviderError) -> tuple[str, str]:
    sentence, remedy = _REFUSED.get(error.detail, ("", ""))
    return f"{sentence} {error}".strip(), remedy or _KEY[0 if subject.own else 1]
