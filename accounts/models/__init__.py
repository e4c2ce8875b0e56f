"""Rows of people and their mailboxes."""

from accounts.models.found import FoundMailbox, FoundState
from accounts.models.mailboxes import (
    AccountState,
    ConnectionState,
    LinkedAccount,
    ReachedThrough,
    TenantConnection,
)
from accounts.models.people import Clearance, User
from accounts.models.secrets import Secret
from accounts.models.units import OrgUnit

__all__ = [
    "AccountState",
    "Clearance",
    "ConnectionState",
    "FoundMailbox",
    "FoundState",
    "LinkedAccount",
    "OrgUnit",
    "ReachedThrough",
    "Secret",
    "TenantConnection",
    "User",
]
