"""Retire: take out a copy that we made while its event lives on (a native copy came, its guest was uninvited).

A write is derived from its link's event, and only a deleted event's copies are deleted. So the link, with its key and
whatever write of it is still under way, moves to an event row of its own that is deleted from the start. A create that
comes through late finds its key there, and is deleted, too.
"""

from __future__ import annotations

from calendars.models import Event, Link, LinkState
from calendars.sync.store import Store
from calsync.engine.policy import Role


def retire_copy(store: Store, link: Link, *, why: str) -> None:
    """Have the copy behind ``link`` deleted at its provider, with its parts; its place at the event is free at once.

    Only for copies without guests (twins, copies, parts): a deletion of those mails nobody. The link must be stored,
    its calendar loaded, and both the event's owner and the calendar's locked.
    """
    retire_parts(store, link, why=why)
    _retire(store, link, why=why)


def retire_parts(store: Store, link: Link, *, why: str) -> None:
    """The same for the parts in which a series stands in the calendar of ``link``.

    A part to which its person has invited people stays theirs: deleting it would mail a cancellation.
    """
    parts = Link.objects.filter(calendar=link.calendar, event__whole=link.event_id, event__deleted_at__isnull=True)
    ours = parts.exclude(state=LinkState.GONE).exclude(role=Role.NATIVE)
    for part in ours.select_related("event").order_by("pk"):
        part.calendar = link.calendar
        _retire(store, part, why=why)


def _retire(store: Store, link: Link, *, why: str) -> None:
    event = link.event
    retired = Event.objects.create(
        owner_id=link.calendar.account.person_id,
        whole_id=event.whole_id or event.pk,
        part=f"retired {link.token} {link.pk}",
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        is_all_day=event.is_all_day,
        is_series=event.is_series,
        show_as=event.show_as,
        content=event.content,
        deleted_at=store.stamps.planned_at,
    )
    link.event, link.role = retired, Role.COPY
    link.state = LinkState.ACTIVE if link.remote_id else LinkState.GONE
    Link.objects.filter(pk=link.pk).update(event=retired, role=link.role, state=link.state)
    if link.remote_id and link.calendar.is_active:
        store.plan_delete(link, why=why)
