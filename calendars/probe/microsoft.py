"""The probe of a Microsoft 365 tenant.

Graph answers 403 alike for a permission that was not granted and for a mailbox that Exchange keeps from us; the
permissions within the token tell the two apart.
"""

from __future__ import annotations

from accounts.gateway import graph_endpoints
from calendars.probe.steps import Step, ok, problem, untried, warning
from calendars.probe.subject import Subject
from calendars.probe.trying import Tried, mailbox_steps, try_mailboxes, unreachable
from calsync.providers.base import AccessDenied, AuthenticationFailed, ProviderError, Transient
from calsync.providers.graph import GraphCredentials
from calsync.providers.graph.probe import CALENDARS, PEOPLE, SETTINGS, GraphProbe

Granted = frozenset[str] | None

GRANT = (
    "In the Entra admin center open the app registration, API permissions, add the application permission {missing} of "
    "Microsoft Graph and press Grant admin consent. A token that workers hold already lasts up to an hour more."
)
_SCOPE = (
    "Where RBAC for Applications limits the app instead, assign Application {permission} with a management scope that "
    "holds the mailbox."
)
_POLICY = (
    "Calendars.ReadWrite is granted, so Exchange keeps this mailbox from the app. In Exchange Online PowerShell run "
    "Test-ApplicationAccessPolicy -Identity {address} -AppId {client}; when it says Denied, add the mailbox to the "
    "policy's mail-enabled security group. It may take 30 minutes to count."
)


def try_microsoft(subject: Subject) -> list[Step]:
    """Every step that can be reached. Asks the provider, not the database."""
    assert isinstance(subject.credentials, GraphCredentials)
    try:
        probe = GraphProbe(subject.credentials, graph_endpoints())
        granted = probe.permissions()
        accepted = ok("credentials", "Microsoft accepts tenant, client and secret or certificate.")
        return [_reached(), accepted, *_with_token(subject, probe, granted)]
    except Transient as error:
        return [unreachable(subject, error)]
    except AuthenticationFailed as error:
        return [_reached(), problem("credentials", *_refused(subject, error))]


def _reached() -> Step:
    return ok("reach", "The login service answers.")


def _with_token(subject: Subject, probe: GraphProbe, granted: Granted) -> list[Step]:
    try:
        tried = try_mailboxes(subject, probe.calendars)
    except Transient as error:
        return [unreachable(subject, error)]
    lacks = any(isinstance(one.error, AccessDenied) for one in tried) and not _has(granted, CALENDARS)
    steps = [_permissions(granted, tried, lacks=lacks)]
    steps += mailbox_steps(subject, tried, lambda one: _mailbox_refused(subject, one, granted))
    works = next((one.address for one in tried if one.works), "")
    return [*steps, *(_zones(probe, works, granted) if works else ()), _directory(granted)]


def _has(granted: Granted, permission: str) -> bool:
    return granted is not None and permission in granted


def _permissions(granted: Granted, tried: list[Tried], *, lacks: bool) -> Step:
    if _has(granted, CALENDARS):
        return ok("permissions", f"{CALENDARS} is granted for the whole tenant; a policy in Exchange may limit it.")
    if any(one.works for one in tried):
        return ok("permissions", f"{CALENDARS} is granted in Exchange for some mailboxes (RBAC for Applications).")
    if not lacks:
        return untried("permissions", f"{CALENDARS} is not granted for the whole tenant; a mailbox has to be tried.")
    remedy = f"{GRANT.format(missing=CALENDARS)} {_SCOPE.format(permission=CALENDARS)}"
    if granted is not None and not granted:
        return problem("permissions", "The token carries no permission at all: admin consent is missing.", remedy)
    return problem("permissions", f"The permission {CALENDARS} is missing.", remedy)


def _mailbox_refused(subject: Subject, one: Tried, granted: Granted) -> tuple[str, str]:
    if one.error is None:
        return f"{subject.provider} does not let us write the primary calendar of {one.address}.", GRANT.format(
            missing=CALENDARS
        )
    if isinstance(one.error, AccessDenied) and _has(granted, CALENDARS):
        remedy = _POLICY.format(address=one.address, client=subject.client or "the client id")
        return f"{one.address} is outside of what the app may reach: {one.error}", remedy
    if isinstance(one.error, AccessDenied):
        return f"{one.address}: {one.error}", f"{GRANT.format(missing=CALENDARS)} {_SCOPE.format(permission=CALENDARS)}"
    return f"{one.address}: {one.error}", one.error.remedy


def _zones(probe: GraphProbe, address: str, granted: Granted) -> list[Step]:
    try:
        probe.settings(address)
    except ProviderError:
        remedy = GRANT.format(missing=SETTINGS) if not _has(granted, SETTINGS) else _SCOPE.format(permission=SETTINGS)
        return [warning("zones", f"{SETTINGS} is missing: everybody's time zone is taken for UTC.", remedy)]
    return [ok("zones", f"{SETTINGS} is granted.")]


def _directory(granted: Granted) -> Step:
    if _has(granted, PEOPLE):
        return ok("directory", f"{PEOPLE} is granted: import_directory can read people and managers.")
    return warning(
        "directory",
        f"{PEOPLE} is missing: people cannot be imported from the directory, and are mapped from a file instead.",
        GRANT.format(missing=PEOPLE),
    )


def _refused(subject: Subject, error: AuthenticationFailed) -> tuple[str, str]:
    """What Microsoft has against tenant, client or proof; its numbers say more than its code."""
    told = _BY_NUMBER.get(error.detail) or _BY_CODE.get(error.code)
    sentence, own, environment = told or (str(error), *_TENANT)
    text = str(error) if sentence == str(error) else f"{sentence} {error}"
    return text, own if subject.own else environment


_SECRETS = "in the Entra admin center (App registrations, Certificates & secrets)"
_NEW_SECRET = (
    f"Make a new client secret {_SECRETS}, copy its value (not its id), and enter it on the connection's page in the "
    "console.",
    f"Make a new client secret {_SECRETS}, copy its value (not its id), and set MICROSOFT_CLIENT_SECRET, or set "
    "MICROSOFT_CLIENT_CERTIFICATE to the PEM file of a registered certificate.",
)
_CERTIFICATE = (
    f"Upload the certificate {_SECRETS}, or enter the PEM with the key of one that is registered and has not ended on "
    "the connection's page in the console.",
    f"Upload the certificate {_SECRETS}, or set MICROSOFT_CLIENT_CERTIFICATE to the PEM file of one that is registered "
    "and has not ended.",
)
_CLIENT = (
    "Check the client on the connection's page: it is the application (client) id of the app registration, which must "
    "be in this tenant and consented to there.",
    "Check MICROSOFT_CLIENT_ID: the tenant knows no such app registration, or has not consented to it.",
)
_TENANT = (
    "Check tenant, client and certificate on the connection's page in the console: the tenant is the directory "
    "(tenant) id.",
    "Check MICROSOFT_TENANT_ID and MICROSOFT_CLIENT_ID, and the file in MICROSOFT_CLIENT_CERTIFICATE if set.",
)
_CONSENT = ("In the Entra admin center open the app registration, API permissions, and press Grant admin consent.",) * 2
_CLOCK = ("Switch time synchronisation (NTP) on for this machine and set its clock.",) * 2
_ENABLE = ("In the Entra admin center (Enterprise applications) let users sign in to the application.",) * 2
_CONDITIONAL = ("Exclude the app from the conditional access policy for workload identities that blocks it.",) * 2

_BY_NUMBER: dict[str, tuple[str, str, str]] = {
    "AADSTS7000215": ("The client secret is wrong.", *_NEW_SECRET),
    "AADSTS7000222": ("The client secret has expired.", *_NEW_SECRET),
    "AADSTS700027": ("The certificate is not registered with the app, or has expired.", *_CERTIFICATE),
    "AADSTS700024": ("Microsoft finds our token request too old or too new.", *_CLOCK),
    "AADSTS700016": ("The tenant does not know the app.", *_CLIENT),
    "AADSTS90002": ("The tenant does not exist.", *_TENANT),
    "AADSTS65001": ("Admin consent is missing.", *_CONSENT),
    "AADSTS7000229": ("The app has no place in this tenant yet: admin consent is missing.", *_CONSENT),
    "AADSTS7000112": ("The app is disabled.", *_ENABLE),
    "AADSTS53003": ("A conditional access policy blocks the app.", *_CONDITIONAL),
}
"""Sentence, and what helps for a connection of our own and for the environment's."""

_BY_CODE: dict[str, tuple[str, str, str]] = {
    "invalid_client": ("The secret or certificate is not accepted.", *_NEW_SECRET),
    "unauthorized_client": ("The tenant does not know the app.", *_CLIENT),
}
