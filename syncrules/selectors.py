"""Whether sync may pass (asked at the door of every write, so cheap in bulk), and rules in their order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import yaml

from accounts.models import PeopleGroup, User
from accounts.unit_paths import lineage
from syncrules.models import Rule, RuleScope, RuleVersion, Scope, Switch
from syncrules.names import Names

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


def door_for(person_id: int, *, now: datetime, platform: str = "") -> Door:
    """The door of one person; of one platform's calendars too when ``platform`` is given. One to three queries."""
    return doors_for([person_id], now=now, platform=platform)[person_id]


def doors_for(person_ids: Collection[int], *, now: datetime, platform: str = "") -> dict[int, Door]:
    """The same for many people, in one query while nothing but everybody, platforms or people is switched off.

    The widest switch gives the reason: everybody, then the platform, the clearance, units from the root down, groups
    by rank, then the person.
    """
    held = _switches_off(now)
    for key in ((Scope.EVERYBODY, ""), (Scope.PLATFORM, platform)):
        if key in held:
            return dict.fromkeys(person_ids, held[key].door)
    scopes = {scope for scope, _ in held}
    places = places_of(person_ids) if scopes & {Scope.ORG_UNIT, Scope.CLEARANCE} else {}
    groups = groups_of(person_ids) if Scope.GROUP in scopes else {}
    return {
        person_id: _door(held, places.get(person_id, ("", None)), groups.get(person_id, []), person_id)
        for person_id in person_ids
    }


def groups_of(person_ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """The groups of these people as (id, name), the lowest rank first, in one query."""
    rows = PeopleGroup.members.through.objects.order_by("peoplegroup__rank", "peoplegroup__name")
    if len(person_ids) <= _FEW:
        rows = rows.filter(user_id__in=person_ids)
    found: dict[int, list[tuple[int, str]]] = {}
    for person_id, group_id, name in rows.values_list("user_id", "peoplegroup_id", "peoplegroup__name"):
        found.setdefault(person_id, []).append((group_id, name))
    return found


def _door(
    held: dict[tuple[str, str], _Held], place: tuple[str, int | None], groups: list[tuple[int, str]], person_id: int
) -> Door:
    path, clearance = place
    keys = [(Scope.CLEARANCE.value, str(clearance))]
    keys += [(Scope.ORG_UNIT.value, step) for step in lineage(path)] if path else []
    keys += [(Scope.GROUP.value, str(group_id)) for group_id, _ in groups]
    keys.append((Scope.PERSON.value, str(person_id)))
    return next((held[key].door for key in keys if key in held), OPEN)


def _switches_off(now: datetime) -> dict[tuple[str, str], _Held]:
    """Switches that are off, by scope and what identifies the target."""
    rows = Switch.objects.off(now=now).select_related("org_unit", "group", "person")
    return {(row.scope, _target_key(row)): _Held(row.target, row.begins_at, row.reason) for row in rows}


def _target_key(switch: Switch) -> str:
    if switch.org_unit is not None:
        return switch.org_unit.path
    keys = (switch.group_id, switch.person_id, switch.clearance)
    return next((str(key) for key in keys if key is not None), switch.platform)


def places_of(person_ids: Collection[int]) -> dict[int, tuple[str, int | None]]:
    """Unit path and clearance of these people."""
    people = User.objects.order_by()
    if len(person_ids) <= _FEW:
        people = people.filter(pk__in=person_ids)
    rows = people.values_list("pk", "org_unit__path", "clearance")
    return {pk: (path or "", clearance) for pk, path, clearance in rows}


def in_their_order() -> list[Rule]:
    """Every rule, the nearest scopes first, in the order in which they are asked; two queries at most."""
    rules = Rule.objects.select_related("org_unit", "group", "person", "changed_by").order_by("position", "pk")
    return sorted(rules, key=_nearness)


def _nearness(rule: Rule) -> tuple[object, ...]:
    group = (rule.group.rank, rule.group.name) if rule.group else (0, "")
    path = rule.org_unit.path if rule.org_unit else ""
    person = rule.person.email if rule.person else ""
    return RuleScope.values.index(rule.scope), *group, -path.count("/"), path, person


def versions_of(rule: Rule) -> list[RuleVersion]:
    """The versions of a rule, the newest first."""
    return list(rule.versions.select_related("made_by").order_by("-number"))


@dataclass(frozen=True, slots=True)
class Difference:
    """One name of a rule's plain form that differs between two versions."""

    name: str
    before: str
    after: str


def compare_versions(before: RuleVersion | None, after: RuleVersion) -> list[Difference]:
    """What a version changed; everything, for a first version."""
    names = Names.of([before.written if before else {}, after.written])
    old, new = names.shown(before.written if before else {}), names.shown(after.written)
    return [
        Difference(name, _as_text(old.get(name)), _as_text(value))
        for name, value in new.items()
        if old.get(name) != value
    ]


def _as_text(value: object) -> str:
    """As in an export."""
    if value is None or value == {}:
        return ""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.removesuffix("\n").removesuffix("\n...")
