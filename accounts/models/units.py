"""The organisation's tree."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from django.db import connection, models
from django.db.models import OrderBy, Q, Value
from django.db.models.functions import Collate, Left, Replace

from accounts.roles import Role
from accounts.unit_paths import MAX_NAME, MAX_PATH, is_within, lineage


def tree_order() -> OrderBy:
    """Each unit right before those below it. By the path alone, ``/A B`` would stand between ``/A`` and ``/A/C``."""
    collation = "C" if connection.vendor == "postgresql" else "BINARY"
    return Collate(Replace("path", Value("/"), Value("\x01")), collation).asc()


class OrgUnitQuerySet(models.QuerySet["OrgUnit"]):
    """Named selections."""

    def below(self, path: str) -> Self:
        """Units under ``path``, without it. Compared exactly: LIKE ignores case on SQLite."""
        return self.alias(head=Left("path", len(path) + 1)).filter(head=f"{path}/")

    def on_the_way_to(self, paths: Collection[str]) -> Self:
        """The units of these paths and all above them."""
        return self.filter(path__in={step for path in paths for step in lineage(path)})


class OrgUnit(models.Model):
    """A node of the organisation's tree. Rules, roles and switches attach to it and are inherited downwards."""

    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=MAX_NAME)
    path = models.CharField(max_length=MAX_PATH, unique=True, editable=False)  # /Sales/EMEA; kept by services.units

    objects = OrgUnitQuerySet.as_manager()

    class Meta:
        verbose_name = "org unit"
        # The roles of ``accounts.roles``, held at a unit (or, as plain permissions, everywhere).
        permissions = [(role.value, role.label) for role in Role]
        ordering = ("path",)
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="org_unit_name_once_per_parent"),
            models.CheckConstraint(condition=Q(path__startswith="/"), name="org_unit_path_is_absolute"),
            models.CheckConstraint(condition=~Q(name__contains="/"), name="org_unit_name_has_no_slash"),
        ]

    def __str__(self) -> str:
        return self.path

    def ancestors(self) -> OrgUnitQuerySet:
        """The units above this one, the root first."""
        return OrgUnit.objects.on_the_way_to([self.path]).exclude(path=self.path).order_by("path")

    def descendants(self) -> OrgUnitQuerySet:
        """The units below this one, at any depth."""
        return OrgUnit.objects.below(self.path).order_by("path")

    def contains(self, other: OrgUnit) -> bool:
        """Whether ``other`` is this unit or lies below it."""
        return is_within(other.path, self.path)
