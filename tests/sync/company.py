"""Two colleagues on different platforms, and their hands: Ada organises on one, Bo is her guest on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from calendars import decisions
from calendars.choices import Decision
from calendars.models import Calendar, Link
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from tests.sync.agenda import in_google, in_outlook

if TYPE_CHECKING:
    from tests.sync.conftest import Person, World

BOTH_WAYS = pytest.mark.parametrize("here", ["outlook", "google"])
"""Where the organiser's mailbox is; the guest's is on the other platform."""

OUTLOOK_WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
}
WEEKLY = {"outlook": OUTLOOK_WEEKLY, "google": ["RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=TU"]}
OTHER = {"outlook": "google", "google": "outlook"}
TITLE = {"outlook": "subject", "google": "summary"}


@dataclass
class Company:
    """Ada organises on one platform, Bo is her guest on the other."""

    world: World
    here: str
    ada: Person
    bo: Person

    def invite(self, *guests, title="Review", by_mail=False, **more) -> str:
        """A meeting of Ada's; returns its id."""
        people = guests or (self.bo,)
        body = {TITLE[self.here]: title, "attendees": [attendee(self.here, one) for one in people], **more}
        if self.here == "outlook":
            return self.ada.in_outlook(**body)["id"]
        body.setdefault("summary", title)
        sent = {"send_updates": "all" if by_mail else "none"}
        start, end = "2026-12-01T09:00:00", "2026-12-01T09:30:00"
        span = {
            "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
            "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
        }
        return self.world.simulator.google.create_event(self.ada.address, {**span, **body}, **sent)["id"]

    def edit(self, event_id, title="", guests=None, **more) -> None:
        body = {**({TITLE[self.here]: title} if title else {}), **more}
        if guests is not None:
            body["attendees"] = [attendee(self.here, one) for one in guests]
        edit = self.ada.edit_outlook if self.here == "outlook" else self.ada.edit_google
        edit(event_id, **body)

    def move(self, event_id, clock) -> None:
        """To another time of the same day, half an hour long."""
        zone = "W. Europe Standard Time" if self.here == "outlook" else "Europe/Berlin"
        start, end = f"2026-12-01T{clock}:00", f"2026-12-01T{clock[:3]}30:00"
        self.edit(event_id, start={"dateTime": start, "timeZone": zone}, end={"dateTime": end, "timeZone": zone})

    def times(self) -> list[str]:
        """When the guest's copies begin in Berlin."""
        links = Link.objects.filter(calendar=self.calendar(self.bo)).exclude(remote_id="").exclude(state="gone")
        found = in_google if self.here == "outlook" else in_outlook
        seen = found(self.world.simulator, self.bo.address) if links else []
        return [f"{int(start[11:13]) + 1:02}{start[13:16]}" for start, _, _ in seen]

    def decide(self, finding, decision) -> str:
        return decisions.decide(finding, Decision(decision), now=timezone.now())

    def delete(self, event_id) -> None:
        (self.ada.delete_outlook if self.here == "outlook" else self.ada.delete_google)(event_id)

    def items_of(self, person) -> list[dict]:
        return person.google if self.here == "outlook" else person.outlook

    def titles(self, person=None) -> list[str]:
        return [item[TITLE[OTHER[self.here]]] for item in self.items_of(person or self.bo)]

    def guest_edits(self, title) -> None:
        [item] = self.items_of(self.bo)
        if self.here == "outlook":
            self.bo.edit_google(item["id"], summary=title)
        else:
            self.bo.edit_outlook(item["id"], subject=title)

    def guest_deletes(self) -> None:
        [item] = self.items_of(self.bo)
        (self.bo.delete_google if self.here == "outlook" else self.bo.delete_outlook)(item["id"])

    def guest_answers(self) -> None:
        [item] = self.items_of(self.bo)
        if self.here == "outlook":
            google = self.world.simulator.google
            own = [{"email": self.bo.address, "responseStatus": "accepted"}]
            google.patch_event(self.bo.address, item["id"], {"attendees": own}, send_updates="none")
        else:
            self.world.simulator.graph.answer_event(self.bo.address, item["id"], "accepted")

    def calendar(self, person) -> Calendar:
        return Calendar.objects.select_related("account__person").get(account__person=person.user)

    def turn(self, person, *, ring=True) -> None:
        """One worker's turn on somebody's calendar."""
        calendar = self.calendar(person)
        if ring:
            Calendar.objects.filter(pk=calendar.pk).ring(now=timezone.now())
        take_turn(calendar_id=calendar.pk, clock=timezone.now, tally=Tally())

    def link(self, person=None) -> Link:
        return Link.objects.get(calendar=self.calendar(person or self.bo), event__deleted_at=None)

    def assert_quiet(self) -> None:
        """Nothing is left to do, and nobody was mailed."""
        self.world.simulator.core.ledger.clear()
        report = self.world.settle()
        assert report.idle
        assert self.world.provider_writes() == 0
        assert self.world.mails == []


def attendee(platform, person) -> dict:
    if platform == "outlook":
        return {"emailAddress": {"address": person.address}, "type": "required"}
    return {"email": person.address}
