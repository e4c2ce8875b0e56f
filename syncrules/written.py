"""Rules as people write them: one plain form for exports, versions, comparison and the console.

What lives here: rows to that form, the form to checked values. What does not: the language (``calsync.engine.rules``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import OrgUnit, PeopleGroup, User
from calsync.engine.rules.condition import mentioned
from calsync.engine.rules.effects import read_effects
from calsync.engine.rules.language import read_conditions
from calsync.engine.rules.written import Wrong
from calsync.engine.treatment import Treatment
from syncrules.models import Rule, RuleScope
from syncrules.models.rules import MAX_RULE_NAME
from syncrules.names import Names

Written = dict[str, Any]
KEYS = ("name", "for", "enabled", "when", "then")


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a rule concerns."""

    scope: RuleScope = RuleScope.EVERYBODY
    org_unit: OrgUnit | None = None
    group: PeopleGroup | None = None
    person: User | None = None

    @classmethod
    def of(cls, rule: Rule) -> Whom:
        """Whom a rule that exists concerns."""
        return cls(RuleScope(rule.scope), rule.org_unit, rule.group, rule.person)


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule before it is checked and saved."""

    name: str
    whom: Whom
    conditions: Any  # whatever was written: the services check it
    effects: Any
    is_enabled: bool = True


def written(rule: Rule, *, names: Names | None = None) -> Written:
    """A rule in its plain form; ``draft_of`` reads it back. ``names``: those of many rules, looked up together."""
    names = names or Names.of([rule.conditions])
    return {
        "name": rule.name,
        "for": _written_whom(rule),
        "enabled": rule.is_enabled,
        "when": names.shown(rule.conditions),
        "then": rule.effects,
    }


def _written_whom(rule: Rule) -> Any:
    match rule.scope:
        case RuleScope.ORG_UNIT if rule.org_unit:
            return {"unit": rule.org_unit.path}
        case RuleScope.GROUP if rule.group:
            return {"group": rule.group.name}
        case RuleScope.PERSON if rule.person:
            return {"person": rule.person.email}
    return "everybody"


def draft_of(form: object) -> Draft:
    """The draft that a plain form stands for. Raises ValidationError."""
    if not isinstance(form, Mapping):
        raise ValidationError(f"A rule has the names {', '.join(KEYS)}.")
    for name in form:
        if name not in KEYS:
            raise ValidationError(f"{name!r} is not known in a rule; use {', '.join(KEYS)}.")
    enabled = form.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ValidationError("enabled is true or false.")
    return Draft(
        name=str(form.get("name") or ""),
        whom=_whom(form.get("for", "everybody")),
        conditions=form.get("when") or {},
        effects=form.get("then") or {},
        is_enabled=enabled,
    )


def _whom(value: object) -> Whom:
    if value == "everybody":
        return Whom()
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValidationError("for is everybody, or one of {unit: PATH}, {group: NAME} and {person: EMAIL}.")
    kind, name = next(iter(value.items()))
    match kind:
        case "unit":
            return Whom(RuleScope.ORG_UNIT, org_unit=_found(OrgUnit.objects.filter(path=name), "org unit", name))
        case "group":
            return Whom(RuleScope.GROUP, group=_found(PeopleGroup.objects.filter(name=name), "group of people", name))
        case "person":
            people = User.objects.filter(email=str(name).lower())
            return Whom(RuleScope.PERSON, person=_found(people, "person", name))
    raise ValidationError(f"{kind!r} is not known in for; use unit, group or person.")


def _found(rows: Any, kind: str, name: object) -> Any:  # Any: a query of either model, and its row
    row = rows.first()
    if row is None:
        raise ValidationError(f"There is no {kind} {name!r}.")
    return row


def require_valid(draft: Draft) -> Treatment:
    """What the draft says, once everything in it is in order. Raises ValidationError with every problem."""
    problems: dict[str, list[str]] = {}
    if not draft.name.strip() or len(draft.name) > MAX_RULE_NAME:
        problems["name"] = [f"A rule needs a name of at most {MAX_RULE_NAME} characters."]
    if conditions := _problems_of_conditions(draft.conditions):
        problems["conditions"] = conditions
    treatment = Treatment()
    try:
        treatment = read_effects(draft.effects)
    except Wrong as wrong:
        problems["effects"] = [f"{wrong}."]
    if "@" in treatment.approver and not User.objects.active().filter(email=treatment.approver).exists():
        problems["effects"] = [f"approver: there is no active person {treatment.approver!r}."]
    if problems:
        raise ValidationError({name: list(texts) for name, texts in problems.items()})
    return treatment


def _problems_of_conditions(conditions: object) -> list[str]:
    try:
        named = mentioned(read_conditions(conditions))
    except Wrong as wrong:
        return [f"{wrong}."]
    return unknown_names(named)


def problems_of(rules: Collection[Rule]) -> dict[int, list[str]]:
    """By id, what is wrong with rules that were in order once: units and groups that are gone. Two queries for all."""
    names = Names.of(rule.conditions for rule in rules)
    mentions: dict[int, frozenset[tuple[str, str]]] = {}
    found = {}
    for rule in rules:
        try:
            mentions[rule.pk] = mentioned(read_conditions(names.shown(rule.conditions)))
        except Wrong as wrong:
            found[rule.pk] = [f"{wrong}."]
    missing = _unknown(frozenset().union(*mentions.values()))
    found |= {pk: [missing[one] for one in sorted(named) if one in missing] for pk, named in mentions.items()}
    return {pk: problems for pk, problems in found.items() if problems}


def unknown_names(named: frozenset[tuple[str, str]]) -> list[str]:
    """A sentence for each unit and group that a rule names and that does not exist (any more)."""
    return [sentence for _, sentence in sorted(_unknown(named).items(), reverse=True)]


def _unknown(named: frozenset[tuple[str, str]]) -> dict[tuple[str, str], str]:
    units = {name for kind, name in named if kind == "unit"}
    groups = {name for kind, name in named if kind == "group"}
    if units:
        units -= set(OrgUnit.objects.filter(path__in=units).values_list("path", flat=True))
    if groups:
        groups -= set(PeopleGroup.objects.filter(name__in=groups).values_list("name", flat=True))
    missing = {("unit", unit): f"There is no org unit {unit!r}." for unit in units}
    return missing | {("group", group): f"There is no group of people {group!r}." for group in groups}
