"""Changing the organisation's tree. Paths are kept here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import OrgUnit, User
from accounts.trail import record
from accounts.unit_paths import lineage, name_of, parent_of, parse_path


def ensure_units(paths: Iterable[str]) -> tuple[dict[str, OrgUnit], int]:
    """The units of these paths with all above them, made where missing: (unit by path, how many were made).

    Paths are in the spelling of ``unit_paths.parse_path``. One query for each level that lacks something.
    """
    wanted = {step for path in paths for step in lineage(path)}
    units = {unit.path: unit for unit in OrgUnit.objects.all() if unit.path in wanted}
    missing = sorted(wanted - units.keys(), key=lambda path: (path.count("/"), path))
    for _, level in groupby(missing, key=lambda path: path.count("/")):
        made = OrgUnit.objects.bulk_create(
            OrgUnit(path=path, name=name_of(path), parent=units.get(parent_of(path))) for path in level
        )
        units.update({unit.path: unit for unit in made})
    return units, len(missing)


@transaction.atomic
def place_unit(*, unit: OrgUnit, name: str, parent: OrgUnit | None, now: datetime) -> OrgUnit:
    """Make, rename or move one unit; the paths of all below it follow. Raises ValidationError."""
    old_path, is_new = unit.path, unit.pk is None
    if parent is not None and unit.pk is not None and (parent.pk == unit.pk or unit.contains(parent)):
        raise ValidationError("A unit cannot lie below itself.")
    unit.name, unit.parent = name.strip(), parent
    unit.path = _path_for(unit.name, parent)
    below = [] if is_new else list(OrgUnit.objects.below(old_path))
    for other in below:
        other.path = parse_path(unit.path + other.path.removeprefix(old_path))
    unit.full_clean(exclude=["path"])
    if OrgUnit.objects.filter(path=unit.path).exclude(pk=unit.pk).exists():
        raise ValidationError(f"There is a unit {unit.path} already.")
    unit.save()
    OrgUnit.objects.bulk_update(below, ["path"], batch_size=200)
    if is_new:
        record("units.made", target=unit, now=now)
    elif unit.path != old_path:
        record("units.moved", target=unit, now=now, was=old_path)
    return unit


@transaction.atomic
def merge_units(*, units: Iterable[OrgUnit], into: OrgUnit, now: datetime) -> int:
    """Move everybody and everything below these units into another one and delete them; returns how many went.

    Units of one name below both become one as well. Raises ValidationError, also when something else is attached.
    """
    ids = [unit.pk for unit in units]
    gone = 0
    for pk in ids:
        unit = OrgUnit.objects.filter(pk=pk).first()  # an earlier one may have taken it along
        target = OrgUnit.objects.get(pk=into.pk)
        if unit is None:
            continue
        if unit.contains(target):
            raise ValidationError(f"{unit} cannot be merged into {target}: a unit cannot lie below itself.")
        gone += _merge(unit, target, now=now)
    record("units.merged", target=into, merged=gone, now=now)
    return gone


def _merge(unit: OrgUnit, into: OrgUnit, *, now: datetime) -> int:
    gone = 1
    names = {child.name: child for child in into.children.all()}
    for child in unit.children.order_by("name"):
        if child.name in names and names[child.name].pk != unit.pk:
            gone += _merge(child, names[child.name], now=now)
        elif child.name in names:
            raise ValidationError(f"{into} would hold two units {child.name}: rename one of them first.")
        else:
            place_unit(unit=child, name=child.name, parent=into, now=now)
    User.objects.filter(org_unit=unit).update(org_unit=into)
    delete_unit(unit=unit, now=now)
    return gone


@transaction.atomic
def delete_unit(*, unit: OrgUnit, now: datetime) -> None:
    """Delete an empty unit; raises ValidationError when somebody or something is in it or attached to it."""
    if unit.people.exists():
        raise ValidationError(f"{unit} is not empty: people are in it.")
    if unit.children.exists():
        raise ValidationError(f"{unit} is not empty: units are below it.")
    if attached := attached_to(unit):
        raise ValidationError(f"{unit} is still used by: {', '.join(attached)}.")
    record("units.deleted", target=unit, now=now)
    unit.delete()


def attached_to(unit: OrgUnit) -> list[str]:
    """Kinds of rows of any app that point to the unit. Some would go with it unasked: a switch, a rule, a role."""
    relations = [relation for relation in OrgUnit._meta.related_objects if relation.field.concrete]
    return sorted(
        str(relation.related_model._meta.verbose_name_plural)
        for relation in relations
        if relation.related_model._default_manager.filter(**{relation.field.name: unit}).exists()
    )


def _path_for(name: str, parent: OrgUnit | None) -> str:
    if "/" in name:
        raise ValidationError("The name of a unit holds no slash.")
    try:
        return parse_path(f"{parent.path if parent else ''}/{name}")
    except ValueError as error:
        raise ValidationError(str(error)) from None
