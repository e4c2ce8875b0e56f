"""calendarView/delta on the pretend Graph, with everything that surprises about it."""

from __future__ import annotations

import pytest

from tests.simulator.graph_world import ALICE, WEEK, code_of, instances, serve_graph, single, weekly

EVENTS = f"/users/{ALICE}/events"
DELTA = f"/users/{ALICE}/calendarView/delta"
WINDOW = f"startDateTime={WEEK[0]}&endDateTime={WEEK[1]}"
STUB = {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def test_a_first_round_brings_singles_masters_and_occurrence_stubs(client):
    client.create(single())
    client.create(single("far", "2027-11-10T12:00:00", "2027-11-10T13:00:00"))
    master = client.create(weekly())
    found = client.round()
    assert found.kinds() == {"singleInstance": 1, "seriesMaster": 1, "occurrence": 4}
    assert all(set(one) == STUB for one in found.of("occurrence"))
    assert {one["seriesMasterId"] for one in found.of("occurrence")} == {master["id"]}
    assert found.of("singleInstance")[0]["subject"] == "Lunch"
    assert found.of("seriesMaster")[0]["recurrence"] == master["recurrence"]


def test_exceptions_come_as_stubs_or_whole(client):
    master = client.create(weekly())
    client.patch(f"{EVENTS}/{instances(client, master)[0]['id']}", {"subject": "Special"})
    assert set(client.round().of("exception")[0]) == STUB
    client.sim.core.switches.graph_delta_exceptions_are_stubs = False
    assert client.round().of("exception")[0]["subject"] == "Special"


def test_a_round_has_pages_and_its_links_are_absolute(client):
    for number in range(23):
        client.create(single(f"e{number}"))
    assert client.round().pages == 3
    found = client.round(Prefer="odata.maxpagesize=20")
    assert (found.pages, len(found.items)) == (2, 23)
    assert found.link.startswith(f"{client.sim.url}/v1.0{DELTA}?$deltatoken=")


def test_a_page_may_be_asked_for_twice(client):
    for number in range(15):
        client.create(single(f"e{number}"))
    link = client.get(f"{DELTA}?{WINDOW}").json()["@odata.nextLink"]
    assert client.get(link).json()["value"] == client.get(link).json()["value"]


def test_the_next_round_brings_only_what_changed(client):
    kept, changed, gone = (client.create(single(name)) for name in ("kept", "changed", "gone"))
    first = client.round()
    client.patch(f"{EVENTS}/{changed['id']}", {"subject": "new"})
    client.delete(f"{EVENTS}/{gone['id']}")
    second = client.round(first.link)
    assert {one["id"] for one in second.items} == {changed["id"], gone["id"]}
    removed = next(one for one in second.items if "@removed" in one)
    assert removed == {"@odata.type": "#microsoft.graph.event", "id": gone["id"], "@removed": {"reason": "deleted"}}
    assert client.round(second.link).items == []
    assert len(client.round(first.link).items) == 2
    assert kept["id"] not in {one["id"] for one in second.items}


def test_removed_arrives_also_for_events_outside_the_window(client):
    link = client.round().link
    far = client.create(single("far", "2027-11-10T12:00:00", "2027-11-10T13:00:00"))
    brief = client.create(single("brief"))
    client.delete(f"{EVENTS}/{brief['id']}")
    found = client.round(link)
    assert found.kinds() == {"removed": 2}
    assert {one["id"] for one in found.items} == {far["id"], brief["id"]}


def test_an_event_that_leaves_the_window_is_removed_though_it_lives(client):
    made = client.create(single())
    link = client.round().link
    client.patch(
        f"{EVENTS}/{made['id']}",
        {key: {"dateTime": f"2027-01-10T1{n}:00:00", "timeZone": "UTC"} for n, key in enumerate(("start", "end"))},
    )
    assert client.round(link).kinds() == {"removed": 1}
    assert client.event(made["id"])["subject"] == "Lunch"


def test_touching_one_occurrence_sends_the_master_and_all_remaining_ones(client):
    master = client.create(weekly())
    first, second, *_ = instances(client, master)
    link = client.round().link
    client.delete(f"{EVENTS}/{first['id']}")
    found = client.round(link)
    assert found.kinds() == {"seriesMaster": 1, "occurrence": 3}
    assert first["id"] not in {one["id"] for one in found.items}
    client.patch(f"{EVENTS}/{second['id']}", {"subject": "Special"})
    assert client.round(found.link).kinds() == {"seriesMaster": 1, "occurrence": 2, "exception": 1}


def test_a_deleted_series_is_one_removed_master(client):
    master = client.create(weekly())
    link = client.round().link
    client.delete(f"{EVENTS}/{master['id']}")
    assert [one["id"] for one in client.round(link).items if "@removed" in one] == [master["id"]]


def test_a_series_changed_many_times_comes_once(client):
    master = client.create(weekly())
    link = client.round().link
    for number in range(5):
        client.patch(f"{EVENTS}/{master['id']}", {"subject": f"v{number}"})
    found = client.round(link)
    assert [one["subject"] for one in found.of("seriesMaster")] == ["v4"]


def test_every_request_names_its_own_preferences(client):
    client.create(single())
    fixed = client.round(Prefer='IdType="ImmutableId", outlook.timezone="Asia/Tokyo"')
    assert fixed.items[0]["start"]["timeZone"] == "Asia/Tokyo"
    client.patch(f"{EVENTS}/{fixed.items[0]['id']}", {"subject": "b"})
    plain = client.round(fixed.link).items[0]
    assert plain["id"] != fixed.items[0]["id"]
    assert plain["start"]["timeZone"] == "UTC"


@pytest.mark.parametrize(
    "option", ["$select=subject", "$expand=calendar", "$filter=isAllDay eq true", "$orderby=subject"]
)
def test_options_that_delta_does_not_know_are_refused(client, option):
    assert code_of(client.get(f"{DELTA}?{WINDOW}&{option}")) == (400, "ErrorInvalidUrlQuery")


def test_the_window_belongs_to_the_first_call_only(client):
    answer = client.get(DELTA)
    assert answer.status_code == 400
    assert "StartDateTime and EndDateTime" in answer.json()["error"]["message"]
    assert client.get(f"{client.round().link}&{WINDOW}").status_code == 400
    assert client.get(f"{DELTA}?startdatetime={WEEK[0]}&enddatetime={WEEK[1]}").status_code == 200


def test_an_expired_token_is_gone_and_names_a_way_to_start_over(client):
    client.create(single())
    link = client.round().link
    client.sim.graph.expire_delta_tokens(ALICE)
    answer = client.get(link)
    assert code_of(answer) == (410, "SyncStateNotFound")
    fresh = answer.headers["Location"]
    assert fresh.endswith("$deltatoken=")
    assert client.round(fresh).kinds() == {"singleInstance": 1}
    assert code_of(client.get(f"{DELTA}?$deltatoken=nonsense")) == (400, "SyncStateInvalid")


def test_a_page_may_be_empty_and_go_on(client):
    client.sim.core.switches.graph_delta_empty_pages = True
    client.create(single())
    body = client.get(f"{DELTA}?{WINDOW}").json()
    assert body["value"] == []
    assert "@odata.nextLink" in body
    assert client.round().kinds() == {"singleInstance": 1}


def test_items_may_arrive_twice(client):
    client.sim.core.switches.graph_delta_repeats_items = True
    client.create(single())
    assert client.round().kinds() == {"singleInstance": 2}


def test_a_secondary_calendar_has_its_own_stream(client):
    calendar = client.sim.graph.add_calendar(ALICE, "Team")
    client.sim.graph.create_event(ALICE, single("inside"), calendar_id=calendar)
    link = f"/users/{ALICE}/calendars/{calendar}/calendarView/delta?{WINDOW}"
    assert [one["subject"] for one in client.round(link).items] == ["inside"]
    assert client.round().items == []


def test_an_event_deleted_in_mid_round_is_marked_on_its_page(client):
    for number in range(12):
        client.create(single(f"e{number}"))
    link = client.get(f"{DELTA}?{WINDOW}").json()["@odata.nextLink"]
    last = client.sim.graph.events(ALICE)[-1]
    client.delete(f"{EVENTS}/{last['id']}")
    assert [one.get("@removed") for one in client.get(link).json()["value"]] == [None, {"reason": "deleted"}]


def test_a_round_costs_what_changed(client):
    """Untouched events must not make a quiet round slow: it looks at the log, not at the calendar."""
    store = client.sim.graph
    for number in range(300):
        store.create_event(ALICE, single(f"e{number}"))
    link = client.round(Prefer="odata.maxpagesize=1000").link
    calendar = store.mailbox(ALICE).default
    seen = []
    calendar.events = type("Watched", (dict,), {"values": lambda self: seen.append(1) or dict.values(self)})(
        calendar.events
    )
    store.update_event(ALICE, next(iter(calendar.events)), {"subject": "new"})
    assert client.round(link).kinds() == {"singleInstance": 1}
    assert seen == []
