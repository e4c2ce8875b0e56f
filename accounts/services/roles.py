"""Giving roles and taking them away. Whoever does it needs a right to it at that unit, and each is recorded."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from accounts.models import OrgUnit, User
from accounts.reach import forget_roles, may, roles_for_all, unit_roles
from accounts.roles import FOR_ALL, GRANT_ROLE, GRANTED_BY_UNIT_ADMINISTRATORS, IN_CONSOLE, Role
from accounts.trail import record


def may_grant(*, by: User, role: Role, person: User, unit: OrgUnit | None) -> bool:
    """Whether somebody may give (and take) a role at a unit; only IT administrators do for the whole organisation."""
    if by.is_active and by.is_superuser:
        return True
    if unit is None or role not in GRANTED_BY_UNIT_ADMINISTRATORS or person.is_superuser:
        return False
    return may(by, GRANT_ROLE, unit) and may(by, "accounts.change_user", person)


@transaction.atomic
def grant_role(*, role: Role, person: User, unit: OrgUnit | None, by: User, reason: str, now: datetime) -> None:
    """Give a role. Safe to repeat. Raises PermissionDenied, and ValidationError for a role without a unit."""
    _check(role=role, person=person, unit=unit, by=by)
    if role == Role.IT_ADMINISTRATOR:
        person.is_superuser = True
    elif unit is None:
        assign_perm(f"accounts.{role}", person)
    else:
        assign_perm(f"accounts.{role}", person, unit)
        forget_roles(person)
    person.is_staff = person.is_staff or role in IN_CONSOLE
    person.save(update_fields=["is_superuser", "is_staff"])
    record("role.granted", target=person, by=by, reason=reason, now=now, role=role, unit=_place(unit))


@transaction.atomic
def revoke_role(*, role: Role, person: User, unit: OrgUnit | None, by: User, reason: str, now: datetime) -> None:
    """Take a role away; with the last one for the console, the console too. Raises as ``grant_role`` does."""
    _check(role=role, person=person, unit=unit, by=by)
    if not holds(person, role, unit):
        raise ValidationError(f"{person} does not hold this role there.")
    if role == Role.IT_ADMINISTRATOR:
        _keep_the_last(person)
        person.is_superuser = False
    elif unit is None:
        remove_perm(f"accounts.{role}", person)
    else:
        remove_perm(f"accounts.{role}", person, unit)
        forget_roles(person)
    fresh = User.objects.get(pk=person.pk)
    fresh.is_superuser = person.is_superuser
    left = {*roles_for_all(fresh), *(kept for kept, _ in unit_roles(fresh))}
    person.is_staff = person.is_staff and bool(left & IN_CONSOLE)
    person.save(update_fields=["is_superuser", "is_staff"])
    record("role.revoked", target=person, by=by, reason=reason, now=now, role=role, unit=_place(unit))


def holds(person: User, role: Role, unit: OrgUnit | None) -> bool:
    """Whether somebody holds a role at exactly this place."""
    fresh = User.objects.get(pk=person.pk)
    return role in roles_for_all(fresh) if unit is None else (role, str(unit.pk)) in unit_roles(fresh)


def _check(*, role: Role, person: User, unit: OrgUnit | None, by: User) -> None:
    if unit is None and role not in FOR_ALL:
        raise ValidationError(f"The role {role.label} is held at an org unit: name one.")
    if unit is not None and role == Role.IT_ADMINISTRATOR:
        raise ValidationError("An IT administrator is one for the whole organisation: name no unit.")
    if not may_grant(by=by, role=role, person=person, unit=unit):
        raise PermissionDenied(f"You may not give or take the role {role.label} there.")


def _keep_the_last(person: User) -> None:
    others = User.objects.select_for_update().filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if not list(others.order_by("pk")):
        raise ValidationError("This is the last IT administrator: name another one first.")


def _place(unit: OrgUnit | None) -> str:
    return unit.path if unit else "whole organisation"
