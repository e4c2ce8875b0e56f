"""Changing the organisation's tree. Paths are kept here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import OrgUnit
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
def place_unit(*, unit: OrgUnit, name: str, parent: OrgUnit | None) -> OrgUnit:
    """Make, rename or move one unit; the paths of all below it follow. Raises ValidationError."""
    old_path = unit.path
    if parent is not None and unit.pk is not None and (parent.pk == unit.pk or unit.contains(parent)):
        raise ValidationError("A unit cannot lie below itself.")
    unit.name, unit.parent = name.strip(), parent
    unit.path = _path_for(unit.name, parent)
    below = list(OrgUnit.objects.below(old_path)) if unit.pk is not None else []
    for other in below:
        other.path = parse_path(unit.path + other.path.removeprefix(old_path))
    unit.full_clean(exclude=["path"])
    if OrgUnit.objects.filter(path=unit.path).exclude(pk=unit.pk).exists():
        raise ValidationError(f"There is a unit {unit.path} already.")
    unit.save()
    OrgUnit.objects.bulk_update(below, ["path"], batch_size=200)
    return unit


def _path_for(name: str, parent: OrgUnit | None) -> str:
    if "/" in name:
        raise ValidationError("The name of a unit holds no slash.")
    try:
        return parse_path(f"{parent.path if parent else ''}/{name}")
    except ValueError as error:
        raise ValidationError(str(error)) from None
