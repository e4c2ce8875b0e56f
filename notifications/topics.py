"""Every topic that people are told about, with its sentence. No sentence, no message.

Facts are names, counts, dates and reasons; never a title, body, place or guest of an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter


class UnknownTopic(LookupError):
    """A topic that is not in TOPICS."""


class FactsMismatch(ValueError):
    """The facts are not exactly those that the topic's sentence names."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What one kind of message says. ``sentence`` is a format string over the facts."""

    label: str
    sentence: str

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts that the sentence needs."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.sentence) if name)

    def say(self, facts: Mapping[str, object]) -> str:
        """The sentence for a person; raises FactsMismatch."""
        if set(facts) != self.facts:
            raise FactsMismatch(f"The sentence needs {sorted(self.facts)}, not {sorted(facts)}.")
        return self.sentence.format_map(dict(facts))


TOPICS: Mapping[str, Topic] = {
    "sync_switched_off": Topic("Sync switched off", "The sync of your calendars was switched off: {reason}"),
    "sync_switched_on": Topic("Sync switched on", "The sync of your calendars was switched on again: {reason}"),
    "case_opened": Topic("Something to look at", "{summary} (case {case})"),
    "people_left": Topic(
        "People left",
        "{count} people are disabled in or gone from {connection}: {names}. Their mailboxes are out of the sync, "
        "copies stay.",
    ),
    "connection_shut": Topic(
        "A connection needs somebody",
        "{connection} does not let CalSync in: {reason} What helps: {remedy} Until then its calendars are not in step.",
    ),
    "credentials_end": Topic(
        "Credentials end soon",
        "The credentials of {connection} end on {day}. {remedy}",
    ),
    "mailbox_problem": Topic("Mailbox problem", "Your mailbox {mailbox} cannot be synced: {reason}"),
}


def topic_named(name: str) -> Topic:
    """The topic; raises UnknownTopic."""
    try:
        return TOPICS[name]
    except KeyError:
        raise UnknownTopic(f"There is no topic {name!r}.") from None
