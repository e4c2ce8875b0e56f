"""Rules in a test's hand: given to people at once, as the book that the pipeline asks for."""

from __future__ import annotations

from dataclasses import replace

from calendars.sync import facts
from calsync.engine.rules.book import Chain, Rule, Rulebook
from calsync.engine.rules.condition import All, Question


def titled(word):
    """A condition: the title has this word in it."""
    return Question("title", lambda facts: word in facts.event.content.title, lambda facts: "")


class Laws:
    """Treatments for everybody or for single people; ``only`` is the condition."""

    def __init__(self, monkeypatch) -> None:
        self.wide: list[Rule] = []
        self.near: dict[int, list[Rule]] = {}
        self.count = 0
        monkeypatch.setattr(facts, "rulebook_for", self.book)

    def book(self, people):
        return Rulebook({pk: Chain([*self.near.get(pk, []), *self.wide]) for pk in people})

    def everybody(self, treatment, *, only=None) -> None:
        self.wide = [self._rule(treatment, only)]

    def person(self, person, treatment, *, only=None) -> None:
        self.near[person.user.pk] = [self._rule(treatment, only)]

    def none(self) -> None:
        self.wide, self.near = [], {}

    def _rule(self, treatment, only) -> Rule:
        self.count += 1
        label = f"{self.count}v1"
        return Rule("rule", only or All(), replace(treatment, rule=label), label)
