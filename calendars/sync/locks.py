"""Locks: deciding about the events of one or several people, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import User


def lock_people(people: Iterable[int]) -> None:
    """Let only one transaction at a time decide about the events of these people (row locks; SQLite locks as a whole).

    Always in the same order, so that two never wait for each other; therefore all at once, before any row is read. The
    weaker lock lets others refer to a person in the meantime.
    """
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=list(people)).order_by("pk")
    list(locked.values_list("pk", flat=True))


def lock_person(person_id: int) -> None:
    """The same for one."""
    lock_people([person_id])
