"""What a person sees in a calendar: every occurrence as start, end (instants, or days) and title, told by the store."""

from __future__ import annotations

from datetime import UTC, datetime

from calsync.simulator.google import listing as google_listing
from calsync.simulator.graph.listing import in_window
from calsync.simulator.server import Simulator

LOW, HIGH = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)

Entry = tuple[str, str, str]


def in_outlook(simulator: Simulator, address: str, low: datetime = LOW, high: datetime = HIGH) -> list[Entry]:
    """The occurrences in the default calendar of a mailbox."""
    naive = (low.replace(tzinfo=None), high.replace(tzinfo=None))  # this store tells UTC without saying so
    found = in_window(simulator.graph.mailbox(address).default, *naive)
    spans = [(event.span(on), event.values(on)) for event, on in found]
    return sorted(
        (_told(start.utc, values["isAllDay"]), _told(end.utc, values["isAllDay"]), values["subject"])
        for (start, end), values in spans
    )


def in_google(simulator: Simulator, address: str, low: datetime = LOW, high: datetime = HIGH) -> list[Entry]:
    """The occurrences in the primary calendar of a mailbox."""
    calendar = simulator.google.calendar("primary", caller=address)
    query = {"singleEvents": True, "timeMin": low.isoformat(), "timeMax": high.isoformat(), "maxResults": 2500}
    found = google_listing.list_events(simulator.google, calendar, query)["items"]
    return sorted((_moment(item["start"]), _moment(item["end"]), item.get("summary", "")) for item in found)


def _moment(told: dict) -> str:
    return told["date"] if "date" in told else _told(datetime.fromisoformat(told["dateTime"]).astimezone(UTC), False)


def _told(moment: datetime, all_day: bool) -> str:
    return moment.strftime("%Y-%m-%d" if all_day else "%Y-%m-%dT%H:%M")
