"""Roles and what each of them may do. Values only: who holds a role, and where, is asked in ``accounts.reach``.

A role is held at an org unit and counts for everything below it, or for the whole organisation (``FOR_ALL``).
"""

from __future__ import annotations

from django.db import models

VIEWED_IN_A_UNIT = (
    "accounts.user",
    "accounts.orgunit",
    "accounts.linkedaccount",
    "accounts.consent",
    "calendars.calendar",
    "calendars.watch",
    "calendars.event",
    "calendars.evententry",
    "calendars.link",
    "calendars.operation",
    "calendars.finding",
    "conflicts.case",
    "notifications.message",
    "syncrules.switch",
)


class Role(models.TextChoices):
    """What somebody is trusted with. A person without a role is an employee and reaches what is their own."""

    IT_ADMINISTRATOR = "it_administrator", "IT administrator"
    UNIT_ADMINISTRATOR = "unit_administrator", "org-unit administrator"
    APPROVER = "approver", "approver"
    AUDITOR = "auditor", "auditor"
    INTEGRATION = "integration", "integration"


SEE_CONTENT = "calendars.see_content"
"""The right to event content, for whoever is also cleared for it."""

GRANT_ROLE = "accounts.grant_role"


def _views(labels: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"{app}.view_{model}" for app, model in (label.split(".") for label in labels))


RIGHTS: dict[Role, frozenset[str]] = {  # an IT administrator may do everything and needs no line
    Role.UNIT_ADMINISTRATOR: _views(VIEWED_IN_A_UNIT)
    | {
        "accounts.change_user",
        "accounts.change_linkedaccount",
        "calendars.change_calendar",
        "conflicts.change_case",
        "syncrules.change_switch",
        SEE_CONTENT,
        GRANT_ROLE,
    },
    Role.APPROVER: _views(
        ("accounts.user", "accounts.orgunit", "calendars.calendar", "calendars.event", "calendars.evententry")
    )
    | {"calendars.view_finding", "conflicts.view_case", "conflicts.change_case", SEE_CONTENT},
    Role.AUDITOR: _views(
        (
            *VIEWED_IN_A_UNIT,
            "accounts.trailentry",
            "accounts.tenantconnection",
            "calendars.auditrun",
            "calendars.hookcount",
        )
    )
    | {SEE_CONTENT},
    Role.INTEGRATION: _views(("accounts.user", "calendars.calendar", "calendars.event")),
}

OWN = _views(
    (
        "accounts.user",
        "accounts.linkedaccount",
        "calendars.calendar",
        "calendars.event",
        "calendars.evententry",
        "conflicts.case",
        "notifications.message",
    )
) | {SEE_CONTENT}
"""What everybody may do with what is their own."""

FOR_ALL = frozenset({Role.IT_ADMINISTRATOR, Role.AUDITOR, Role.INTEGRATION})  # may be held for the whole organisation
IN_CONSOLE = frozenset({Role.IT_ADMINISTRATOR, Role.UNIT_ADMINISTRATOR, Role.APPROVER, Role.AUDITOR})
GRANTED_BY_UNIT_ADMINISTRATORS = frozenset(
    {Role.UNIT_ADMINISTRATOR, Role.APPROVER}
)  # no more than they hold themselves
