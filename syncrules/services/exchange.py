"""Rules out to YAML and in again: all lines of a file or none.

A rule is known by its name. Rules that a file does not name are left as they are: a forgotten line must not let
anything travel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from syncrules.models import Rule
from syncrules.names import Names
from syncrules.selectors import in_their_order
from syncrules.services.rules import change_rule, create_rule, move_rule
from syncrules.written import Draft, Whom, draft_of, written

FORM = 1
_MOST = 5_000


class RulesFileError(ValidationError):
    """A file that cannot be imported: what is wrong with which rule."""


@dataclass(frozen=True, slots=True)
class ImportLine:
    """What became of one rule: created, changed, moved, unchanged, or left alone (it is not in the file)."""

    name: str
    outcome: str


def export_rules() -> str:
    """Every rule as YAML, in the order in which they are asked."""
    rows = in_their_order()
    names = Names.of(rule.conditions for rule in rows)
    rules = [written(rule, names=names) for rule in rows]
    text: str = yaml.safe_dump({"form": FORM, "rules": rules}, sort_keys=False, allow_unicode=True, width=110)
    return text


def import_rules(*, text: str, by: User | None, why: str, now: datetime) -> list[ImportLine]:
    """Make the rules of a file so; tell what became of each. Raises RulesFileError, and then nothing has changed."""
    drafts = _drafts(text)
    with transaction.atomic():
        known = {rule.name.lower(): rule for rule in in_their_order()}
        lines = [_bring(draft, known.get(draft.name.strip().lower()), by=by, why=why, now=now) for draft in drafts]
        lines = _in_order(drafts, lines, by=by, why=why, now=now)
        named = {draft.name.strip().lower() for draft in drafts}
        lines += [ImportLine(rule.name, "left alone") for name, rule in known.items() if name not in named]
    return lines


def _drafts(text: str) -> list[Draft]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RulesFileError(f"The file is no YAML{f': see line {mark.line + 1}' if mark else ''}.") from None
    if not isinstance(document, dict) or set(document) != {"form", "rules"} or document["form"] != FORM:
        raise RulesFileError(f"A file of rules begins with form: {FORM}, then rules: with a list.")
    listed = document["rules"] or []
    if not isinstance(listed, list) or len(listed) > _MOST:
        raise RulesFileError(f"rules: is a list of at most {_MOST} rules.")
    drafts, problems = [], []
    for number, form in enumerate(listed, start=1):
        try:
            drafts.append(draft_of(form))
        except ValidationError as error:
            problems.append(_told(number, form, error))
    names = [draft.name.strip().lower() for draft in drafts]
    problems += [f"The name {name!r} comes more than once." for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise RulesFileError(problems)
    return drafts


def _told(number: int, form: object, error: ValidationError) -> str:
    name = form.get("name") if isinstance(form, dict) else None
    return f"Rule {number}{f' ({name})' if name else ''}: {' '.join(error.messages)}"


def _bring(draft: Draft, rule: Rule | None, *, by: User | None, why: str, now: datetime) -> ImportLine:
    try:
        if rule is None:
            return ImportLine(create_rule(draft=draft, by=by, why=why, now=now).name, "created")
        changed = change_rule(rule=rule, draft=draft, by=by, why=why, now=now)
    except ValidationError as error:
        raise RulesFileError(f"{draft.name or 'A rule without a name'}: {' '.join(error.messages)}") from None
    return ImportLine(changed.name, "unchanged" if changed.version == rule.version else "changed")


def _in_order(
    drafts: Sequence[Draft], lines: list[ImportLine], *, by: User | None, why: str, now: datetime
) -> list[ImportLine]:
    """The rules of each scope in the file's order, before those that the file does not name."""
    places: dict[Whom, int] = defaultdict(int)
    rules = {rule.name: rule for rule in in_their_order()}
    told = []
    for draft, line in zip(drafts, lines, strict=True):
        places[draft.whom] += 1
        rule = rules[line.name]
        moved = move_rule(rule=rule, position=places[draft.whom], by=by, why=why, now=now)
        is_news = line.outcome == "unchanged" and moved.version != rule.version
        told.append(ImportLine(line.name, "moved") if is_news else line)
    return told
