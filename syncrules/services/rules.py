"""Making, changing, ordering and restoring rules. Every change is a version with its author and reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.models.health import MAX_REASON
from accounts.trail import record
from syncrules.models import Mention, Rule, RuleVersion
from syncrules.names import Names, kept, numbers_in
from syncrules.selectors import compare_versions, versions_of
from syncrules.written import Draft, Whom, draft_of, require_valid, written


class ChangedMeanwhile(ValidationError):
    """Somebody else saved the rule after it was opened for editing. Says who, when, why and what."""


@transaction.atomic
def create_rule(*, draft: Draft, by: User | None, why: str, now: datetime) -> Rule:
    """A new rule, the last of its scope. Raises ValidationError with what to write instead."""
    require_valid(draft)
    rule = Rule(changed_at=now)
    _fill(rule, draft)
    rule.position = Rule.objects.beside(rule).count() + 1
    return _save(rule, "rule.created", by=by, why=why, now=now)


@transaction.atomic
def change_rule(*, rule: Rule, draft: Draft, by: User | None, why: str, now: datetime, seen: int | None = None) -> Rule:
    """The rule as the draft says; nothing happens when it says that already. Raises ValidationError.

    ``seen``: the version that was edited; ChangedMeanwhile is raised when it is not the newest any more.
    """
    return _change(rule, draft, "rule.changed", by=by, why=why, now=now, seen=seen)


@transaction.atomic
def set_enabled(*, rule: Rule, on: bool, by: User | None, why: str, now: datetime) -> Rule:
    """Put a rule in force or take it out. Raises ValidationError."""
    draft = replace(draft_as_it_is(_locked(rule)), is_enabled=on)
    return _change(rule, draft, "rule.changed", by=by, why=why, now=now)


def _change(
    rule: Rule, draft: Draft, action: str, *, by: User | None, why: str, now: datetime, seen: int | None = None
) -> Rule:
    require_valid(draft)
    rule = _locked(rule)
    if seen is not None:
        require_newest(rule=rule, seen=seen)
    was = draft_as_it_is(rule)
    before = (written(rule), Whom.of(rule))
    _fill(rule, draft)
    if (written(rule), Whom.of(rule)) == before:
        return rule
    if Whom.of(rule) != before[1]:
        rule.position = Rule.objects.beside(rule).exclude(pk=rule.pk).count() + 1
    if draft_as_it_is(rule) == replace(was, is_enabled=rule.is_enabled):  # nothing else has changed
        action = "rule.enabled" if rule.is_enabled else "rule.disabled"
    return _save(rule, action, by=by, why=why, now=now)


@transaction.atomic
def move_rule(*, rule: Rule, position: int, by: User | None, why: str, now: datetime) -> Rule:
    """Put a rule at a place in its scope's order, 1 being the first; the others make room. Raises ValidationError."""
    rule = _locked(rule)
    others = [other for other in Rule.objects.select_for_update().beside(rule) if other.pk != rule.pk]
    place = min(max(1, position), len(others) + 1)
    ordered = [*others[: place - 1], rule, *others[place - 1 :]]
    if place == rule.position and [other.position for other in ordered] == list(range(1, len(ordered) + 1)):
        return rule
    for number, other in enumerate(ordered, start=1):
        other.position = number
    Rule.objects.bulk_update(others, ["position"], batch_size=200)
    return _save(rule, "rule.moved", by=by, why=why, now=now)


@transaction.atomic
def restore_version(*, rule: Rule, number: int, by: User | None, why: str, now: datetime) -> Rule:
    """The rule as it was in an earlier version, as a new one. Raises ValidationError when it cannot be so any more."""
    rule = _locked(rule)
    version = RuleVersion.objects.filter(rule=rule, number=number).first()
    if version is None:
        raise ValidationError(f"The rule has no version {number}.")
    was = Names.of([version.written]).shown(version.written)
    form = {name: value for name, value in was.items() if name != "position"}
    return _change(rule, draft_of(form), "rule.restored", by=by, why=why, now=now)


def require_newest(*, rule: Rule, seen: int) -> None:
    """Raises ChangedMeanwhile unless ``seen`` is the version of the rule."""
    if rule.version == seen:
        return
    versions = {version.number: version for version in versions_of(rule)}
    newest = versions[rule.version]
    problems = [
        f"While you were editing, {newest.made_by or 'a command'} saved version {newest.number} of this rule at "
        f"{newest.made_at:%H:%M} UTC. The reason: {newest.reason.rstrip('.')}.",
        *(f'"{one.name}" is now {_on_one_line(one.after)}.' for one in compare_versions(versions.get(seen), newest)),
        f"What you wrote is still here. Saved again, it takes the place of version {newest.number}.",
    ]
    raise ChangedMeanwhile(problems)


def _on_one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines()) or "empty"


def draft_as_it_is(rule: Rule) -> Draft:
    """A draft that changes nothing."""
    form = written(rule)
    return Draft(rule.name, Whom.of(rule), form["when"], rule.effects, rule.is_enabled)


def _fill(rule: Rule, draft: Draft) -> None:
    rule.name, rule.is_enabled = draft.name.strip(), draft.is_enabled
    rule.conditions, rule.effects = kept(draft.conditions or {}), draft.effects or {}
    whom = draft.whom
    rule.scope, rule.org_unit, rule.group, rule.person = whom.scope, whom.org_unit, whom.group, whom.person


def _save(rule: Rule, action: str, *, by: User | None, why: str, now: datetime) -> Rule:
    why = why.strip()
    if not why:
        raise ValidationError("Give a reason.")
    rule.becomes_next_version(by_id=by.pk if by else None, now=now)
    rule.full_clean()
    rule.save()
    _note_mentions(rule)
    RuleVersion.objects.create(
        rule=rule,
        number=rule.version,
        written={**kept(written(rule)), "position": rule.position},
        made_at=now,
        made_by=by,
        reason=why[:MAX_REASON],
    )
    record(action, target=rule, by=by, reason=why, now=now, version=rule.version, scope=rule.scope)
    return rule


def _note_mentions(rule: Rule) -> None:
    rule.mentions.all().delete()
    columns = {"unit": "org_unit_id", "group": "group_id"}
    found = sorted(set(numbers_in(rule.conditions)))
    Mention.objects.bulk_create(Mention(rule=rule, **{columns[kind]: number}) for kind, number in found)


def _locked(rule: Rule) -> Rule:
    """The row as it is now, held until the transaction ends: two editors of one rule come one after the other."""
    return Rule.objects.select_for_update(of=("self",)).select_related("org_unit", "group", "person").get(pk=rule.pk)
