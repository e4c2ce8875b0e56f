"""Telling people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from notifications.models import Message
from notifications.topics import topic_named


@dataclass(frozen=True, slots=True)
class Telling:
    """One message to be: whom, about what, with which facts (JSON values, no event text)."""

    person_id: int
    topic: str
    facts: Mapping[str, str | int]


def tell(*, person: User, topic: str, facts: Mapping[str, str | int], now: datetime) -> Message:
    """Put one message into a person's inbox; raises UnknownTopic or FactsMismatch before anything is stored."""
    return tell_all([Telling(person_id=person.pk, topic=topic, facts=facts)], now=now)[0]


def tell_all(tellings: Iterable[Telling], *, now: datetime) -> list[Message]:
    """The same for many, in one go."""
    tellings = list(tellings)
    for telling in tellings:
        topic_named(telling.topic).say(telling.facts)  # refuses what could not be shown
    return Message.objects.bulk_create(
        Message(person_id=telling.person_id, topic=telling.topic, facts=dict(telling.facts), created_at=now)
        for telling in tellings
    )
