from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calsync.simulator.company import seed
from calsync.simulator.desks import GoogleDesk
from calsync.simulator.people import People
from calsync.simulator.server import Simulator
from calsync.simulator.sketches import Repeat, Sketch, google_body, graph_body


@pytest.fixture(scope="module")
def sim():
    simulator = Simulator()
    seed(simulator)
    yield simulator
    simulator.core.notifier.stop()


@pytest.fixture
def company(sim):
    return sim.core.company


def google_events(sim):
    return [event for address in sim.google.users for event in sim.google.events(address)]


def graph_events(sim):
    return [event for address in sim.graph.mailboxes for event in sim.graph.events(address)]


def test_forty_people_sit_in_five_units_a_third_on_either_platform_and_a_third_on_both(company):
    rows = list(csv.DictReader(io.StringIO(company.csv())))
    assert list(rows[0]) == [
        "email", "name", "org_unit", "time_zone", "clearance", "manager", "outlook_mailbox", "google_mailbox",
    ]  # fmt: skip
    assert len({row["email"] for row in rows}) == 40
    assert {row["org_unit"] for row in rows} == {
        "/Executive", "/Sales/EMEA", "/Sales/Americas", "/Engineering", "/Operations/APAC",
    }  # fmt: skip
    kinds = Counter((bool(row["outlook_mailbox"]), bool(row["google_mailbox"])) for row in rows)
    assert kinds == {(True, True): 14, (True, False): 13, (False, True): 13}
    assert {row["time_zone"].partition("/")[0] for row in rows} == {"Europe", "America", "Asia", "Africa"}
    assert all(ZoneInfo(row["time_zone"]) for row in rows)
    assert {row["clearance"] for row in rows} == {"public", "internal", "confidential", "restricted"}
    assert all(row["email"].endswith(".example") for row in rows)


def test_managers_lead_to_the_top_without_a_circle(company):
    managers = {person.email: person.manager for person in company.people}
    for email in managers:
        steps = 0
        while managers[email]:
            email, steps = managers[email], steps + 1
            assert steps < 40
    assert sum(not manager for manager in managers.values()) == 1


def test_the_same_seed_makes_the_same_people_and_diaries():
    first, second, other = Simulator(), Simulator(), Simulator()
    one, two = seed(first, people=9, events=60, seed=3), seed(second, people=9, events=60, seed=3)
    seed(other, people=9, events=60, seed=4)
    assert one.csv() == two.csv()

    def titles(simulator):
        return sorted(event.get("summary", "") for event in google_events(simulator))

    assert titles(first) == titles(second) != titles(other)


def test_about_a_thousand_events_of_every_kind(sim, company):
    assert 1000 <= company.events <= 1010
    google, graph = google_events(sim), graph_events(sim)
    masters = [event for event in google if "recurrence" in event]
    assert {event["recurrence"][0].partition("FREQ=")[2].partition(";")[0] for event in masters} == {
        "DAILY", "WEEKLY", "MONTHLY", "YEARLY",
    }  # fmt: skip
    assert any("UNTIL" in event["recurrence"][0] for event in masters)
    assert any("COUNT" in event["recurrence"][0] for event in masters)
    assert {event["recurrence"]["pattern"]["type"] for event in graph if event["recurrence"]} >= {
        "daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly",
    }  # fmt: skip
    assert any(event["exceptions"] and event["cancelled"] for event in graph)
    assert any(event["status"] == "cancelled" and "recurringEventId" in event for event in google)
    assert any(event["status"] == "confirmed" and "recurringEventId" in event for event in google)
    kinds = {event.get("eventType") for event in google}
    assert kinds >= {"default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"}
    assert {event["showAs"] for event in graph} >= {"busy", "free", "tentative", "oof"}
    assert any(event["sensitivity"] == "private" for event in graph)
    assert any(event.get("visibility") == "private" for event in google)
    assert any(event["isAllDay"] for event in graph)
    assert any("<b>" in event["body"]["content"] for event in graph)
    assert any(len(event.get("description", "")) > 2000 for event in google)


def test_dates_lie_around_today(sim):
    now = sim.core.clock.now()
    starts = [
        datetime.fromisoformat(e["start"]["dateTime"]) for e in google_events(sim) if "dateTime" in e.get("start", {})
    ]
    assert min(starts) > now - timedelta(days=60)
    assert max(starts) < now + timedelta(days=330)


def test_all_mails_at_seeding_are_by_persons_and_reach_both_platforms(sim):
    assert sim.core.outbox
    assert all(mail.by_person for mail in sim.core.outbox)
    addresses = set(sim.google.users)
    foreign = [e for e in google_events(sim) if e.get("organizer", {}).get("email", "") in sim.graph.mailboxes
               and e["organizer"]["email"] not in addresses]  # fmt: skip
    assert foreign
    native = [e for e in graph_events(sim) if e["organizer"]["emailAddress"]["address"].lower() in addresses]
    assert native


def test_pairs_stand_on_both_sides_with_one_uid_or_one_title(sim, company):
    by_uid = by_title = 0
    for person in company.people:
        if not (person.outlook_mailbox and person.google_mailbox):
            continue
        google = [event for event in sim.google.events(person.google_mailbox) if event["status"] != "cancelled"]
        uids, titles = {e["iCalUID"] for e in google}, {e.get("summary") for e in google}
        for event in sim.graph.events(person.outlook_mailbox):
            by_uid += event["iCalUId"] in uids
            by_title += event["subject"] in titles and event["iCalUId"] not in uids
    assert by_uid >= 10
    assert by_title >= 10


def test_no_mailbox_holds_two_events_that_look_the_same(sim):
    for address in sim.google.users:
        seen = Counter(
            (event.get("summary"), str(event["start"])) for event in sim.google.events(address) if "start" in event
        )
        assert seen.most_common(1)[0][1] == 1


def test_people_do_every_kind_of_edit_on_both_platforms():
    simulator = Simulator()
    company = seed(simulator, people=12, events=200, seed=5)
    people = People(company, simulator, seed=5)
    acts = [people.act() for _ in range(150)]
    assert all(acts)
    assert {act.verb for act in acts} == {
        "create", "rename", "move", "delete", "rename series", "rename occurrence", "move occurrence",
        "cancel occurrence", "end series",
    }  # fmt: skip
    assert {act.mailbox in simulator.google.users for act in acts} == {True, False}
    assert all(mail.by_person for mail in simulator.core.outbox)


def test_an_edit_changes_what_it_says_and_nothing_else():
    simulator = Simulator()
    company = seed(simulator, people=3, events=30, seed=2)
    people = People(company, simulator, seed=2)
    desk = next(desk for desk in company.desks if isinstance(desk, GoogleDesk))
    before = {event["id"]: event for event in simulator.google.events(desk.address)}
    renamed = people.rename(desk)
    after = {event["id"]: event for event in simulator.google.events(desk.address)}
    assert [event_id for event_id in after if after[event_id].get("summary") != before[event_id].get("summary")] == [
        renamed
    ]
    assert after[renamed]["start"] == before[renamed]["start"]


def test_a_sketch_says_the_same_to_both_platforms():
    start = datetime(2026, 3, 3, 9, tzinfo=UTC).replace(tzinfo=None)
    repeat = Repeat("monthly", days=(1,), ordinal=1, until=datetime(2026, 6, 2, tzinfo=UTC).date())
    sketch = Sketch("Board", start, start + timedelta(hours=1), "America/New_York", repeat=repeat)
    assert google_body(sketch)["recurrence"] == ["RRULE:FREQ=MONTHLY;BYDAY=1TU;UNTIL=20260603T035959Z"]
    recurrence = graph_body(sketch)["recurrence"]
    assert recurrence["pattern"] == {
        "type": "relativeMonthly",
        "interval": 1,
        "daysOfWeek": ["tuesday"],
        "index": "first",
    }
    assert recurrence["range"] == {"type": "endDate", "startDate": "2026-03-03", "endDate": "2026-06-02"}
    assert [start.day for start in sketch.starts()] == [3, 7, 5, 2]
