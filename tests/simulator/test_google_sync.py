from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from googleapiclient.errors import HttpError

from calsync.simulator.company import seed
from calsync.simulator.google import ids, listing
from calsync.simulator.people import People
from calsync.simulator.server import Simulator
from tests.simulator.google_world import ANNA, serve_google, timed, weekly

YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def world():
    with serve_google() as running:
        yield running


@pytest.fixture
def client(world):
    return world.client(ANNA)


def refused(call) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


def fill(world, number: int) -> list[str]:
    days = (timed(f"2026-03-{1 + n % 28:02d}T09:00", f"2026-03-{1 + n % 28:02d}T10:00") for n in range(number))
    return [world.store.create_event(ANNA, body)["id"] for body in days]


def test_a_full_listing_pages_to_its_end_and_only_the_last_page_has_a_sync_token(world, client):
    made = fill(world, 23)
    items, token = world.full(client, maxResults=10)
    assert [item["id"] for item in items] == made
    assert token


def test_hidden_tombstones_leave_empty_pages_that_lead_on(world, client):
    made = fill(world, 30)
    for event_id in made[:20]:
        world.store.delete_event(ANNA, event_id)
    page = client.events().list(calendarId="primary", maxResults=10).execute()
    assert page["items"] == []
    assert page["nextPageToken"]
    items, _ = world.full(client, maxResults=10)
    assert len(items) == 10
    everything, _ = world.full(client, maxResults=10, showDeleted=True)
    assert len(everything) == 30


def test_an_incremental_round_brings_exactly_what_changed(world, client):
    made = fill(world, 5)
    _, token = world.full(client)
    assert world.full(client, syncToken=token)[0] == []
    world.store.patch_event(ANNA, made[1], {"summary": "Once"})
    world.store.patch_event(ANNA, made[1], {"summary": "Twice"})
    world.store.delete_event(ANNA, made[3])
    items, following = world.full(client, syncToken=token)
    assert [(item["id"], item.get("summary")) for item in items] == [(made[1], "Twice"), (made[3], None)]
    assert items[1].keys() == {"kind", "etag", "id", "status"}
    assert world.full(client, syncToken=following)[0] == []
    assert len(world.full(client, syncToken=token)[0]) == 2


def test_a_change_between_the_pages_of_a_round_is_not_lost(world, client):
    made = fill(world, 20)
    first = client.events().list(calendarId="primary", maxResults=10).execute()
    world.store.patch_event(ANNA, made[0], {"summary": "Changed meanwhile"})
    late = world.store.create_event(ANNA, timed("2026-04-01T09:00", "2026-04-01T10:00"))
    page = client.events().list(calendarId="primary", maxResults=10, pageToken=first["nextPageToken"]).execute()
    assert late["id"] not in {item["id"] for item in page["items"]}
    items, _ = world.full(client, syncToken=page["nextSyncToken"])
    assert {item["id"] for item in items} == {made[0], late["id"]}


def test_a_change_to_one_occurrence_brings_the_master_and_every_exception(world, client):
    series = world.store.create_event(ANNA, weekly())
    world.store.patch_event(ANNA, f"{series['id']}_20260309T080000Z", {"summary": "Renamed"})
    world.store.delete_event(ANNA, f"{series['id']}_20260316T080000Z")
    _, token = world.full(client)
    world.store.delete_event(ANNA, f"{series['id']}_20260323T080000Z")
    items, _ = world.full(client, syncToken=token)
    assert [item["id"].removeprefix(series["id"]) for item in items] == [
        "", "_20260309T080000Z", "_20260316T080000Z", "_20260323T080000Z",
    ]  # fmt: skip
    assert len({item["etag"] for item in items}) == 1
    assert items[3].keys() == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}


def test_a_deleted_series_is_one_bare_tombstone(world, client):
    series = world.store.create_event(ANNA, weekly())
    world.store.delete_event(ANNA, f"{series['id']}_20260316T080000Z")
    _, token = world.full(client)
    world.store.delete_event(ANNA, series["id"])
    items, _ = world.full(client, syncToken=token)
    assert [item.keys() for item in items] == [{"kind", "etag", "id", "status"}]
    assert world.full(client)[0] == []


def test_masters_are_listed_with_their_cancelled_occurrences_even_without_show_deleted(world, client):
    series = world.store.create_event(ANNA, weekly())
    world.store.delete_event(ANNA, f"{series['id']}_20260316T080000Z")
    items, _ = world.full(client)
    assert [item["status"] for item in items] == ["confirmed", "cancelled"]
    expanded, _ = world.full(client, singleEvents=True)
    assert len(expanded) == 7
    assert len(world.full(client, singleEvents=True, showDeleted=True)[0]) == 8


@pytest.mark.parametrize(
    "query",
    [{"iCalUID": "x"}, {"orderBy": "updated"}, {"q": "x"}, {"timeMin": "2026-01-01T00:00:00Z"}, {"showDeleted": False},
     {"updatedMin": YESTERDAY}, {"privateExtendedProperty": ["a=b"]}],
)  # fmt: skip
def test_a_sync_token_bears_no_filter_beside_it(world, client, query):
    _, token = world.full(client)
    assert refused(client.events().list(calendarId="primary", syncToken=token, **query)) == (400, "badRequest")


@pytest.mark.parametrize("query", [{"orderBy": "updated"}, {"q": "plan"}, {"privateExtendedProperty": ["a=b"]}])
def test_a_filtered_listing_ends_without_a_sync_token(world, client, query):
    fill(world, 3)
    assert world.full(client, **query)[1] == ""


def test_a_window_at_the_start_still_earns_a_token(world, client):
    fill(world, 3)
    items, token = world.full(client, timeMin="2026-03-02T09:30:00+01:00")
    assert len(items) == 2
    assert token


def test_an_expired_or_foreign_token_asks_for_a_full_sync(world, client):
    _, token = world.full(client)
    world.store.expire_sync_tokens()
    call = client.events().list(calendarId="primary", syncToken=token)
    assert refused(call) == (410, "fullSyncRequired")
    _, fresh = world.full(client)
    world.core.clock.advance(timedelta(days=40))
    late = world.client(ANNA).events().list(calendarId="primary", syncToken=fresh)
    assert refused(late) == (410, "fullSyncRequired")
    assert refused(world.client(ANNA).events().list(calendarId="primary", syncToken="junk")) == (400, "invalid")


def test_tokens_have_the_form_of_recorded_ones():
    recorded = "CJ_zxrSaoIwDEJ_zxrSaoIwDGAUg79XP3wIo79XP3wI="
    read = ids.SyncToken.parse(recorded)
    assert read.updated_us == 1742733019560351
    assert ids.SyncToken(read.updated_us, read.generation, read.hour).text() == recorded


def test_windows_bound_the_end_and_the_start_and_find_old_masters(world, client):
    body = timed("2020-01-06T09:00", "2020-01-06T10:00", recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO"])
    series = world.store.create_event(ANNA, body)
    world.store.create_event(ANNA, timed("2026-03-02T07:00", "2026-03-02T09:00"))
    window = {"timeMin": "2026-03-02T09:00:00+01:00", "timeMax": "2026-03-09T09:00:00+01:00"}
    assert [item["id"] for item in world.full(client, **window)[0]] == [series["id"]]
    expanded, _ = world.full(client, singleEvents=True, orderBy="startTime", **window)
    assert [item["start"]["dateTime"] for item in expanded] == ["2026-03-02T09:00:00+01:00"]


def test_a_wrong_window_and_a_wrong_order_are_refused(client):
    events = client.events()
    turned = events.list(calendarId="primary", timeMin="2026-03-02T00:00:00Z", timeMax="2026-03-01T00:00:00Z")
    assert refused(turned) == (400, "timeRangeEmpty")
    assert refused(events.list(calendarId="primary", timeMin="2026-03-02T00:00:00"))[0] == 400
    assert refused(events.list(calendarId="primary", orderBy="startTime")) == (400, "invalid")
    assert refused(events.list(calendarId="primary", updatedMin="2020-03-02T00:00:00Z")) == (
        410,
        "updatedMinTooLongAgo",
    )


def test_a_uid_finds_the_master_and_its_exceptions(world, client):
    series = world.store.create_event(ANNA, weekly())
    world.store.patch_event(ANNA, f"{series['id']}_20260309T080000Z", {"summary": "Renamed"})
    fill(world, 2)
    items, _ = world.full(client, iCalUID=series["iCalUID"])
    assert [item["id"] for item in items] == [series["id"], f"{series['id']}_20260309T080000Z"]


def test_filters_by_property_type_and_text(world, client):
    body = timed("2026-03-02T09:00", "2026-03-02T10:00", extendedProperties={"private": {"link": "7"}})
    marked = world.store.create_event(ANNA, body)
    away = world.store.create_event(ANNA, timed("2026-03-02T09:00", "2026-03-02T10:00", eventType="outOfOffice"))
    assert [i["id"] for i in world.full(client, privateExtendedProperty=["link=7"])[0]] == [marked["id"]]
    assert [i["id"] for i in world.full(client, eventTypes=["outOfOffice"])[0]] == [away["id"]]
    assert len(world.full(client, q="planning")[0]) == 2
    assert world.full(client, q="nothing like it")[0] == []


def test_an_incremental_round_reads_what_changed_and_not_the_calendar(world, client):
    made = fill(world, 400)
    _, token = world.full(client)
    calendar = world.store.calendars[ANNA]
    world.store.patch_event(ANNA, made[0], {"summary": "Changed"})
    assert len(calendar.log) - calendar.changes_since(ids.SyncToken.parse(token).updated_us) == 1


def follow(picture: dict, items: list[dict]) -> None:
    """Apply a delta as a careful client does."""
    for item in items:
        if item["status"] != "cancelled" or "recurringEventId" in item:
            picture[item["id"]] = item
            continue
        gone = {item["id"]} | {key for key, known in picture.items() if known.get("recurringEventId") == item["id"]}
        for key in gone & picture.keys():
            del picture[key]


@pytest.mark.parametrize("start", [1, 2, 3])
def test_following_deltas_gives_the_same_picture_as_a_full_listing(start):
    simulator = Simulator()
    company = seed(simulator, people=6, events=120, seed=start)
    people = People(company, simulator, seed=start)
    read = {"maxResults": 7}
    positions = {address: full_round(simulator, address, read) for address in simulator.google.users}
    for number in range(60):
        people.act()
        address = list(positions)[number % len(positions)]
        picture, token = positions[address]
        items, token = round_of(simulator, address, read | {"syncToken": token})
        follow(picture, items)
        positions[address] = (picture, token)
    for address, (picture, token) in positions.items():
        items, _ = round_of(simulator, address, read | {"syncToken": token})
        follow(picture, items)
        assert picture == full_round(simulator, address, read)[0]


def round_of(simulator, address: str, query: dict) -> tuple[list[dict], str]:
    calendar = simulator.google.calendars[address]
    page = listing.list_events(simulator.google, calendar, query)
    items = list(page["items"])
    while "nextPageToken" in page:
        page = listing.list_events(simulator.google, calendar, query | {"pageToken": page["nextPageToken"]})
        items += page["items"]
    return items, page["nextSyncToken"]


def full_round(simulator, address: str, query: dict) -> tuple[dict, str]:
    items, token = round_of(simulator, address, query)
    return {item["id"]: item for item in items}, token
