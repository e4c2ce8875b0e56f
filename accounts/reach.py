"""Who reaches which rows: the one place that filters querysets and answers for single objects.

Roles are kept as object permissions of guardian on org units, and as plain permissions where they count for everybody.
A model says by ``person_path`` whose its rows are; a model without it is reached through the whole organisation only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from guardian.models import UserObjectPermission

from accounts.models import OrgUnit, User
from accounts.roles import FOR_ALL, OWN, RIGHTS, Role

Viewer = User | AnonymousUser
Row = TypeVar("Row", bound=Model)


_KEPT = "_roles_at_units"


def unit_roles(person: User) -> list[tuple[Role, str]]:
    """The roles that somebody holds at units, with the units' numbers as guardian keeps them.

    Read once for each object of a person, as Django's own permissions are: a page of the console asks dozens of times.
    """
    kept = vars(person)
    if _KEPT not in kept:
        kept[_KEPT] = _read_unit_roles(person)
    return list(kept[_KEPT])


def forget_roles(person: User) -> None:
    """Let the next question be answered from the database: the person's roles have changed."""
    vars(person).pop(_KEPT, None)


def _read_unit_roles(person: User) -> list[tuple[Role, str]]:
    held = UserObjectPermission.objects.filter(
        user=person,
        permission__content_type__app_label="accounts",
        permission__content_type__model="orgunit",
        permission__codename__in=Role.values,
    )
    pairs = held.order_by("permission__codename", "object_pk").values_list("permission__codename", "object_pk")
    return [(Role(codename), pk) for codename, pk in pairs]


def roles_for_all(person: User) -> list[Role]:
    """The roles that somebody holds for the whole organisation."""
    if person.is_superuser:
        return [Role.IT_ADMINISTRATOR]
    return sorted(role for role in FOR_ALL if _plain(person, f"accounts.{role}"))


def reaches_all(viewer: Viewer, right: str) -> bool:
    """Whether somebody has a right over everything."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if viewer.is_superuser or _plain(viewer, right):
        return True
    return any(right in RIGHTS.get(role, ()) for role in roles_for_all(viewer))


def units_reached(viewer: Viewer, right: str) -> QuerySet[OrgUnit]:
    """The units in which somebody has a right: those at which a role with it is held, and all below."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return OrgUnit.objects.none()
    if reaches_all(viewer, right):
        return OrgUnit.objects.all()
    numbers = [int(pk) for role, pk in unit_roles(viewer) if right in RIGHTS.get(role, ())]
    tops = OrgUnit.objects.filter(pk__in=numbers).order_by("path")
    found = Q(pk__in=numbers)
    for path in tops.values_list("path", flat=True):
        found |= Q(pk__in=OrgUnit.objects.below(path).order_by().values("pk"))
    return OrgUnit.objects.filter(found)


def right_to(verb: str, model: type[Model]) -> str:
    """The name of a right over a model's rows, such as ``calendars.view_event``."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def visible_to(rows: QuerySet[Row], viewer: Viewer, *, right: str = "") -> QuerySet[Row]:
    """Those of the rows over which somebody has a right (by default: to view them)."""
    right = right or right_to("view", rows.model)
    if reaches_all(viewer, right):
        return rows
    if not isinstance(viewer, User) or not viewer.is_active:
        return rows.none()
    found = Q(pk__in=[])
    for path in _unit_paths(rows.model):
        found |= Q(**{f"{path}__in": units_reached(viewer, right).order_by().values("pk")})
    if right in OWN and (person := _person_path(rows.model)):
        found |= Q(**{person: viewer.pk})
    return rows.filter(found)


def may(viewer: Viewer, right: str, row: Model) -> bool:
    """Whether somebody has a right over one row, as it stands in the database."""
    return visible_to(type(row)._base_manager.filter(pk=row.pk), viewer, right=right).exists()


class RoleBackend:
    """Answers Django's ``has_perm`` from roles: without an object, whether there is anything; with one, whether it is
    within reach. Both are asked: the first opens a page, the second the row.
    """

    def authenticate(self, request: object, **credentials: object) -> None:
        """Nobody logs in by a role."""

    def has_perm(self, user_obj: Viewer, perm: str, obj: Model | None = None) -> bool:
        """Whether a role gives the right."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        if obj is not None:
            return may(user_obj, perm, obj)
        held = [*roles_for_all(user_obj), *(role for role, _ in unit_roles(user_obj))]
        return any(perm in RIGHTS.get(role, ()) for role in held)

    def has_module_perms(self, user_obj: Viewer, app_label: str) -> bool:
        """Whether a role opens anything of an app."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        held = [*roles_for_all(user_obj), *(role for role, _ in unit_roles(user_obj))]
        return any(right.startswith(f"{app_label}.") for role in held for right in RIGHTS.get(role, ()))


def _plain(person: User, right: str) -> bool:
    return ModelBackend().has_perm(person, right)


def _person_path(model: type[Model]) -> str:
    return "pk" if model is User else str(getattr(model, "person_path", ""))


def _unit_paths(model: type[Model]) -> Iterator[str]:
    if model is OrgUnit:
        yield "pk"
        return
    if path := getattr(model, "unit_path", ""):
        yield path
    if model is User:
        yield "org_unit"
    elif person := _person_path(model):
        yield f"{person}__org_unit"
