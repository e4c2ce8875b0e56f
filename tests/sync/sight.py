"""What a person sees of their one event on either side, and their hands on it; for tests of what is kept on the way."""

from __future__ import annotations

from calsync.engine.events import Event
from calsync.providers.base import Mailbox
from calsync.providers.google.mapping import event_of
from calsync.providers.graph.mapping import single_item


def read(person, side: str) -> Event:
    """The one event of a side as a reader sees it."""
    zone = person.user.time_zone
    if side == "google":
        [raw] = person.google
        return event_of(raw, zone=zone, address=person.address)
    [raw] = person.outlook
    return single_item(raw, mailbox=Mailbox(person.address, "primary", zone)).event


def edit(person, side: str, **words) -> None:
    """A person's edit in their own screens; ``title``, ``body`` and ``place`` are said in the platform's words."""
    if side == "google":
        names = {"title": "summary", "body": "description", "place": "location"}
        person.edit_google(person.google[0]["id"], **{names.get(name, name): value for name, value in words.items()})
        return
    said = {
        "title": lambda value: {"subject": value},
        "body": lambda value: {"body": {"contentType": "html", "content": value}},
        "place": lambda value: {"location": {"displayName": value}},
    }
    fields: dict = {}
    for name, value in words.items():
        fields |= said[name](value) if name in said else {name: value}
    person.edit_outlook(person.outlook[0]["id"], **fields)


def other(side: str) -> str:
    return "google" if side == "outlook" else "outlook"


def settled(world) -> None:
    """A further pass finds nothing to write, and the audit nothing to mend."""
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert world.audit().match_rate == 100.0
    assert world.mails == []
