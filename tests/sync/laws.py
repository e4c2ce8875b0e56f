"""Rules in a test's hand: saved by the console's own services, in force at once, changed and taken out as people do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from syncrules.models import Rule, RuleScope
from syncrules.services import change_rule, create_rule, set_enabled
from syncrules.written import Draft, Whom

if TYPE_CHECKING:
    from tests.sync.conftest import Person

Then = dict[str, Any]
"""What a rule says, as it is written in YAML."""

BUSY: Then = {"details": "busy"}
SKIP: Then = {"do": "skip"}
HOLD: Then = {"do": "hold", "approver": "manager"}


def save_rule(then: Then, *, when: Then | None = None, name: str = "Private things", whom: Whom | None = None) -> Rule:
    """The rule of that name as it is to be now; a new one if there is none yet."""
    draft, known = Draft(name, whom or Whom(), when or {}, then), Rule.objects.filter(name=name).first()
    if known is None:
        return create_rule(draft=draft, by=None, why="asked for", now=timezone.now())
    return change_rule(rule=known, draft=draft, by=None, why="asked for", now=timezone.now())


class Laws:
    """At most one rule for everybody, and one for each person; ``titled`` is a pattern that the title has to match."""

    def everybody(self, then: Then, *, titled: str = "") -> Rule:
        return save_rule(then, when=_when(titled), name="For everybody")

    def person(self, person: Person, then: Then, *, titled: str = "") -> Rule:
        whom = Whom(RuleScope.PERSON, person=person.user)
        return save_rule(then, when=_when(titled), name=f"For {person.address}", whom=whom)

    def none(self) -> None:
        """Take all of them out of force."""
        for rule in Rule.objects.filter(is_enabled=True).order_by("pk"):
            set_enabled(rule=rule, on=False, by=None, why="no more", now=timezone.now())


def _when(titled: str) -> Then:
    return {"title": titled} if titled else {}
