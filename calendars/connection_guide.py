"""What the pages that guide through setting up a connection hold beside their text: values to copy, of this site.

Commands name what is known of the connection and say in angle brackets what is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from accounts.models import TenantConnection
from calsync.engine.events import Platform
from calsync.providers.google.directory import SCOPES as DIRECTORY_SCOPES
from calsync.providers.google.provider import SCOPES as CALENDAR_SCOPES
from calsync.providers.graph.probe import CALENDARS, PEOPLE, SETTINGS


@dataclass(frozen=True, slots=True)
class Guide:
    """The values of one page."""

    sign_in: str  # the address to register for people who sign in
    link: str  # and for those who link a mailbox of their own
    hook: str  # where the provider announces changes
    is_public: bool  # whether that can be reached from outside
    permissions: tuple[str, ...] = ()
    directory_permissions: tuple[str, ...] = ()
    delegation: str = ""
    rbac: str = ""
    policy: str = ""
    certificate: str = ""


def guide_for(platform: Platform, connection: TenantConnection | None, *, here: str) -> Guide:
    """The values for a platform; ``here`` is this site's address where no public one is set."""
    base = (settings.CALSYNC_PUBLIC_URL or here).rstrip("/")
    public = settings.CALSYNC_PUBLIC_URL.startswith("https://")
    if platform == Platform.GOOGLE:
        return Guide(
            sign_in=base + reverse("openid_connect_callback", args=["google"]),
            link=base + reverse("mailbox-linked", args=[platform]),
            hook=base + reverse("hook-google"),
            is_public=public,
            permissions=CALENDAR_SCOPES,
            directory_permissions=DIRECTORY_SCOPES,
            delegation=",".join([*CALENDAR_SCOPES, *DIRECTORY_SCOPES]),
        )
    client = (connection.client if connection else "") or "<client id>"
    return Guide(
        sign_in=base + reverse("microsoft_callback"),
        link=base + reverse("mailbox-linked", args=[platform]),
        hook=base + reverse("hook-graph"),
        is_public=public,
        permissions=(CALENDARS, SETTINGS),
        directory_permissions=(PEOPLE,),
        rbac=_RBAC.format(client=client, calendars=CALENDARS, settings=SETTINGS),
        policy=_POLICY.format(client=client),
        certificate=_CERTIFICATE,
    )


_RBAC = """\
Connect-ExchangeOnline
New-ServicePrincipal -AppId {client} -ObjectId <object id of the enterprise application> -DisplayName CalSync
New-ManagementScope -Name CalSync -RecipientRestrictionFilter "MemberOfGroup -eq '<distinguished name of the group>'"
New-ManagementRoleAssignment -App {client} -Role "Application {calendars}" -CustomResourceScope CalSync
New-ManagementRoleAssignment -App {client} -Role "Application {settings}" -CustomResourceScope CalSync
Test-ServicePrincipalAuthorization -Identity {client} -Resource <address of a mailbox>"""

_POLICY = """\
Connect-ExchangeOnline
New-ApplicationAccessPolicy -AppId {client} -PolicyScopeGroupId <address of a mail-enabled security group> \
-AccessRight RestrictAccess -Description CalSync
Test-ApplicationAccessPolicy -AppId {client} -Identity <address of a mailbox>"""

_CERTIFICATE = """\
openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -nodes -subj /CN=CalSync -keyout calsync.key -out calsync.crt
cat calsync.key calsync.crt > calsync.pem"""
