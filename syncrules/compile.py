"""Rows to the engine's policy and rules."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from django.conf import settings

from accounts.models import User
from accounts.unit_paths import lineage
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy
from calsync.engine.rules.book import Chain, Rulebook
from calsync.engine.rules.book import Rule as EngineRule
from calsync.engine.rules.effects import read_effects
from calsync.engine.rules.language import read_conditions
from calsync.engine.rules.written import Wrong
from calsync.engine.treatment import Passage, Treatment
from syncrules.models import Rule, RuleScope
from syncrules.names import Names
from syncrules.selectors import groups_of, places_of

Key = tuple[str, object]


def policy_for(person: User) -> Policy:  # noqa: ARG001 - rules say more about single events
    """The policy for a person's events where no rule says anything else: the installation's, for everybody."""
    return Policy(
        conflict=ConflictPolicy(settings.CALSYNC_CONFLICT_POLICY),
        on_delete=DeletePolicy(settings.CALSYNC_DELETE_POLICY),
    )


def rulebook_for(person_ids: Collection[int], *, instead: Sequence[Rule] | None = None) -> Rulebook:
    """The rules that concern these people, nearest first: one query without rules, three at most, and one more for
    each kind that conditions name.

    ``instead``: these rows (saved or not) in place of the stored rules, to see what a change would do.
    """
    rows = _stored() if instead is None else [rule for rule in instead if rule.is_enabled]
    if not rows:
        return Rulebook(dict.fromkeys(person_ids, Chain()))
    names = Names.of(row.conditions for row in rows)
    scoped: dict[Key, list[EngineRule]] = defaultdict(list)
    for row in sorted(rows, key=lambda rule: rule.position):
        scoped[_key_of(row)].append(_in_engine_words(row, names))
    places, groups = places_of(person_ids), groups_of(person_ids)
    chains: dict[tuple[Key, ...], Chain] = {}
    found = {}
    for person_id in person_ids:
        keys = _nearest_first(person_id, places.get(person_id, ("", None))[0], groups.get(person_id, []), scoped)
        if keys not in chains:
            chains[keys] = Chain([rule for key in keys for rule in scoped[key]])
        found[person_id] = chains[keys]
    return Rulebook(found)


def _in_engine_words(row: Rule, names: Names) -> EngineRule:
    """A row as a rule that can be asked. One that cannot be read holds everything back: it fails closed."""
    conditions = names.shown(row.conditions)
    rule = _compiled(row.name, json.dumps(conditions, sort_keys=True), json.dumps(row.effects, sort_keys=True))
    return replace(rule, label=row.label, scope=row.target, treatment=replace(rule.treatment, rule=row.label))


def _stored() -> list[Rule]:
    return list(Rule.objects.in_force().select_related("org_unit", "group", "person").order_by("position", "pk"))


def _key_of(row: Rule) -> Key:
    match row.scope:
        case RuleScope.PERSON:
            return RuleScope.PERSON, row.person_id
        case RuleScope.GROUP:
            return RuleScope.GROUP, row.group_id
        case RuleScope.ORG_UNIT if row.org_unit:
            return RuleScope.ORG_UNIT, row.org_unit.path
    return RuleScope.EVERYBODY, None


def _nearest_first(
    person_id: int, path: str, groups: Sequence[tuple[int, str]], scoped: Mapping[Key, object]
) -> tuple[Key, ...]:
    """The scopes with rules that hold somebody: the person, groups by rank, the unit, those above it, everybody."""
    keys: list[Key] = [(RuleScope.PERSON, person_id)]
    keys += [(RuleScope.GROUP, group_id) for group_id, _ in groups]
    keys += [(RuleScope.ORG_UNIT, step) for step in reversed(lineage(path))] if path else []
    keys.append((RuleScope.EVERYBODY, None))
    return tuple(key for key in keys if key in scoped)


@lru_cache(maxsize=2048)
def _compiled(name: str, conditions: str, effects: str) -> EngineRule:
    """Kept by what is written, so that a stored version is compiled once in a process."""
    try:
        return EngineRule(name, read_conditions(json.loads(conditions)), read_effects(json.loads(effects)))
    except Wrong:
        return EngineRule(f"{name} (cannot be read)", treatment=Treatment(passage=Passage.SKIP))
