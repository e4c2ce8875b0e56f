"""Whether sync may pass: asked at the door of every pull and every write, so cheap in bulk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.models import User
from accounts.unit_paths import lineage
from syncrules.models import Scope, Switch

_FEW = 500  # above this, one query over everybody instead of a list of ids


@dataclass(frozen=True, slots=True)
class Door:
    """Whether sync may pass, and if not, why: a sentence for a person."""

    open: bool
    why: str = ""


OPEN = Door(open=True)


@dataclass(frozen=True, slots=True)
class _Held:
    """One switch that is off."""

    name: str
    since: datetime
    reason: str

    @property
    def door(self) -> Door:
        moment = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return Door(open=False, why=f"Sync is off for {self.name} since {moment}: {self.reason}")


def door_for(person_id: int, *, platform: str = "") -> Door:
    """The door of one person; of one platform's calendars too when ``platform`` is given. One or two queries."""
    return doors_for([person_id], platform=platform)[person_id]


def doors_for(person_ids: Collection[int], *, platform: str = "") -> dict[int, Door]:
    """The same for many people, in one query while no org unit is switched off, else two.

    The widest switch gives the reason: everybody, then the platform, then units from the root down, then the person.
    """
    held = _switches_off()
    for key in ((Scope.EVERYBODY, ""), (Scope.PLATFORM, platform)):
        if key in held:
            return dict.fromkeys(person_ids, held[key].door)
    paths = _unit_paths(person_ids) if any(scope == Scope.ORG_UNIT for scope, _ in held) else {}
    return {person_id: _door(held, paths.get(person_id, ""), person_id) for person_id in person_ids}


def _door(held: dict[tuple[str, str], _Held], path: str, person_id: int) -> Door:
    keys = [(Scope.ORG_UNIT.value, step) for step in lineage(path)] if path else []
    keys.append((Scope.PERSON.value, str(person_id)))
    return next((held[key].door for key in keys if key in held), OPEN)


def _switches_off() -> dict[tuple[str, str], _Held]:
    """Switches that are off, by scope and what identifies the target: platform, unit path or person id."""
    rows = Switch.objects.off().select_related("org_unit", "person")
    return {(row.scope, _target_key(row)): _Held(row.target, row.since, row.reason) for row in rows}


def _target_key(switch: Switch) -> str:
    if switch.org_unit is not None:
        return switch.org_unit.path
    return str(switch.person_id) if switch.person_id else switch.platform


def _unit_paths(person_ids: Collection[int]) -> dict[int, str]:
    people = User.objects.order_by().exclude(org_unit=None)
    if len(person_ids) <= _FEW:
        people = people.filter(pk__in=person_ids)
    return dict(people.values_list("pk", "org_unit__path"))
