"""What an event keeps on its way to the other platform and back: one table of samples over the whole pipeline."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import pytest

from calendars.models import Finding
from tests.sync.sight import edit, other, read, settled

pytestmark = pytest.mark.one_database

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"  # one flag of seven signs
FAMILY = f"\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1f3\U0001f1ff {ENGLAND}"
HEBREW = "\u200f\u05e9\u05dc\u05d5\u05dd \u2067\u05d9\u05e9\u05d9\u05d1\u05d4\u2069 (room 4)\u200e"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
LONG = " ".join(f"word{number}" for number in range(1000))[:8000].strip()
RICH = '<p>Agenda for <b>all</b></p><ul><li>one</li><li><a href="https://x.example/a?b=1&amp;c=2">two</a></li></ul>'


@dataclass(frozen=True)
class Sample:
    """The same event in the words of either platform, and what is seen of it there."""

    outlook: dict = field(default_factory=dict)
    google: dict = field(default_factory=dict)
    title: str = "Standup"
    text: str = ""
    place: str = ""
    zone: str = "Europe/Berlin"


def span(start: str, end: str, zone: str = "Europe/Berlin", end_zone: str = "") -> dict:
    return {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": end_zone or zone}}


def timed(start: str, end: str, *named: str, **more) -> Sample:
    """``named`` are the zones of the event: of its start, and of its end when that is another."""
    return Sample(outlook=span(start, end, *named), google=span(start, end, *named), **more)


def days(start: str, end: str, zone: str) -> Sample:
    midnights = span(f"{start}T00:00:00", f"{end}T00:00:00", "UTC")
    return Sample(
        outlook={"isAllDay": True, **midnights}, google={"start": {"date": start}, "end": {"date": end}}, zone=zone
    )


def worded(words: str) -> Sample:
    """The same words as title, place and body. Google takes tags in a description for tags."""
    plain = {"contentType": "text", "content": words}
    description = html.escape(words) if "<b>" in words else words
    return Sample(
        outlook={"subject": words, "location": {"displayName": words}, "body": plain},
        google={"summary": words, "location": words, "description": description},
        title=words,
        text=words,
        place=words,
    )


def body(outlook: str, google: str, text: str, *, kind: str = "html") -> Sample:
    return Sample(
        outlook={"body": {"contentType": kind, "content": outlook}}, google={"description": google}, text=text
    )


SAMPLES = {
    "plain": Sample(),
    "emoji": worded(FAMILY),
    "right-to-left": worded(HEBREW),
    "joiners": worded(PERSIAN),
    "composed-letters": worded("\u00c5ngstr\u00f6m"),
    "decomposed-letters": worded("A\u030angstro\u0308m"),
    "markup-as-words": worded("if a < b & c > d then <b>bold</b> &amp; <ann@example.com>"),
    "8000-characters": body(LONG, LONG, LONG, kind="text"),
    "formatted": body(RICH, RICH, "Agenda for all\n\n- one\n- two <https://x.example/a?b=1&c=2>"),
    "lines": body("a<br><br>b<br>&nbsp; c", "a\n\nb\n  c", "a\n\nb\n  c"),
    "table": body(
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        "a b\nc",
    ),
    "hidden-parts": body(
        "<style>p {}</style><p>a</p><script>x()</script><!-- c -->", "<b>a</b><script>x()</script><!-- c -->", "a"
    ),
    "over-midnight": timed("2026-12-01T22:30:00", "2026-12-02T01:15:00"),
    "several-weeks": timed("2026-12-01T09:00:00", "2027-01-12T17:00:00"),
    "several-days-utc+13": days("2026-12-24", "2026-12-27", "Pacific/Auckland"),
    "several-days-apia": days("2026-12-31", "2027-01-02", "Pacific/Apia"),
    "one-day-utc-8": days("2026-12-24", "2026-12-25", "America/Los_Angeles"),
    "foreign-zone": timed("2026-12-01T09:00:00", "2026-12-01T10:00:00", "Asia/Tokyo", zone="America/New_York"),
    "two-zones": timed("2026-12-01T09:00:00", "2026-12-01T12:00:00", "Europe/Berlin", "America/New_York"),
    "no-title": Sample(outlook={"subject": ""}, google={"summary": ""}, title=""),
}


@pytest.fixture(params=SAMPLES.values(), ids=SAMPLES.keys())
def sample(request):
    return request.param


def make(person, side: str, sample: Sample) -> dict:
    if side == "outlook":
        fields = {"subject": "Standup", **span("2026-12-01T09:00:00", "2026-12-01T09:30:00"), **sample.outlook}
        return person.world.simulator.graph.create_event(person.address, fields)
    fields = {"summary": "Standup", **span("2026-12-01T09:00:00", "2026-12-01T09:30:00"), **sample.google}
    return person.world.simulator.google.create_event(person.address, fields)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_what_is_made_on_one_side_is_seen_on_the_other_and_survives_an_unrelated_edit(world, side, sample):
    ada = world.person("ada", zone=sample.zone)
    make(ada, side, sample)
    world.activate()
    origin, copy = read(ada, side).content, read(ada, other(side)).content
    assert (copy.title, copy.body, copy.location) == (sample.title, sample.text, sample.place)
    assert copy.when == origin.when
    assert (origin.title, origin.body, origin.location) == (sample.title, sample.text, sample.place)
    settled(world)

    raw_before = getattr(ada, side)[0]
    name = "place" if not sample.place else "title"
    edit(ada, other(side), **{name: "Elsewhere"})
    world.settle()
    after = read(ada, side).content
    assert {"place": after.location, "title": after.title}[name] == "Elsewhere"
    assert (after.body, after.when, after.show_as) == (origin.body, origin.when, origin.show_as)
    for kept in ("body", "description"):
        assert getattr(ada, side)[0].get(kept) == raw_before.get(kept)
    settled(world)
    assert not Finding.objects.exists()
