"""Telling people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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


def tell_it(
    *, cause: str, topic: str, facts: Mapping[str, str | int], now: datetime, again_after: timedelta | None = None
) -> int:
    """Tell every IT administrator, in the inbox and by mail, once for each cause; again only when that long has passed.

    Returns how many were told. Call it with the row locked that the cause is about, so that two workers tell once.
    """
    told = Message.objects.filter(cause=cause)
    if again_after is not None:
        told = told.filter(created_at__gt=now - again_after)
    if told.exists():
        return 0
    topic_named(topic).say(facts)
    people = User.objects.active().filter(is_superuser=True).order_by("pk")
    messages = [
        Message(person=person, topic=topic, facts=dict(facts), cause=cause, created_at=now) for person in people
    ]
    return len(Message.objects.bulk_create(messages))
