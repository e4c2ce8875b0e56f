"""Units, groups and people that rules name: kept by number, so that they survive a new name or place; shown by name.

What lives here: both directions, for any plain form of a rule or of its conditions. What does not: what the names mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from accounts.models import OrgUnit, PeopleGroup, User

PLACES = ("organizer", "guests", "for")
"""Words of rules below which units, groups and people are named."""

Form = Any  # what JSON holds
_COLUMNS = {"unit": (OrgUnit, "path"), "group": (PeopleGroup, "name"), "person": (User, "email")}


@dataclass(frozen=True, slots=True)
class Names:
    """The present names of what some forms hold by number."""

    by_number: dict[str, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, forms: Iterable[Form]) -> Names:
        """Look them up: one query for each kind that occurs, none where nothing is named."""
        wanted: dict[str, set[int]] = {}
        for form in forms:
            for kind, number in numbers_in(form):
                wanted.setdefault(kind, set()).add(number)
        found = {}
        for kind, numbers in wanted.items():
            model, column = _COLUMNS[kind]
            found[kind] = dict(model._default_manager.filter(pk__in=numbers).values_list("pk", column))
        return cls(found)

    def shown(self, form: Form) -> Form:
        """The form with names. What is gone has the name that it had last."""

        def name(kind: str, value: Form) -> Form:
            if not _is_number(value):
                return value
            return self.by_number.get(kind, {}).get(value["id"], value["was"])

        return _changed(form, name)


def kept(form: Form) -> Form:
    """The form with numbers in place of names that are known, each with the name that it has now."""
    named: dict[str, set[str]] = {}

    def note(kind: str, value: Form) -> Form:
        if isinstance(value, str):
            named.setdefault(kind, set()).add(_spelled(kind, value))
        return value

    _changed(form, note)
    numbers = {kind: _numbers(kind, names) for kind, names in named.items()}

    def number(kind: str, value: Form) -> Form:
        name = _spelled(kind, value) if isinstance(value, str) else ""
        known = numbers.get(kind, {}).get(name)
        return value if known is None else {"id": known, "was": name}

    return _changed(form, number)


def numbers_in(form: Form) -> Iterator[tuple[str, int]]:
    """What a form holds by number, as (kind, number)."""
    found: list[tuple[str, int]] = []

    def note(kind: str, value: Form) -> Form:
        if _is_number(value):
            found.append((kind, value["id"]))
        return value

    _changed(form, note)
    yield from found


def _numbers(kind: str, names: set[str]) -> dict[str, int]:
    model, column = _COLUMNS[kind]
    rows = model._default_manager.filter(**{f"{column}__in": names}).values_list(column, "pk")
    return dict(rows)


def _spelled(kind: str, name: str) -> str:
    """As the row spells it: conditions may leave out the slashes around a path."""
    return "/" + name.strip().strip("/") if kind == "unit" else name.strip()


def _is_number(value: Form) -> bool:
    return isinstance(value, dict) and value.keys() == {"id", "was"}


def _changed(form: Form, change: Callable[[str, Form], Form], *, below: bool = False) -> Form:
    if isinstance(form, list):
        return [_changed(one, change, below=below) for one in form]
    if not isinstance(form, dict):
        return form
    return {
        key: change(key, value) if below and key in _COLUMNS else _changed(value, change, below=below or key in PLACES)
        for key, value in form.items()
    }
