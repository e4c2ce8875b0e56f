"""Rows of people and their mailboxes."""

from accounts.models.consents import Consent
from accounts.models.found import FoundMailbox, FoundState
from accounts.models.groups import PeopleGroup
from accounts.models.health import HasHealth, Health
from accounts.models.mailboxes import LinkedAccount, ReachedThrough, TenantConnection
from accounts.models.people import Clearance, User
from accounts.models.secrets import Secret
from accounts.models.trail import Origin, TrailEntry
from accounts.models.units import OrgUnit

__all__ = [
    "Clearance",
    "Consent",
    "FoundMailbox",
    "FoundState",
    "HasHealth",
    "Health",
    "LinkedAccount",
    "OrgUnit",
    "Origin",
    "PeopleGroup",
    "ReachedThrough",
    "Secret",
    "TenantConnection",
    "TrailEntry",
    "User",
]
