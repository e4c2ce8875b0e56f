"""The pretend Google beside recorded answers of the real one; skipped where the recordings are not at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calsync.simulator.core import Core
from calsync.simulator.google import discovery, errors, ids, recurrence
from calsync.simulator.google.store import GoogleStore
from tests.simulator.google_world import timed

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "protocols" / "corpus" / "google"
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recorded Google answers (../shared) are not here")


def recorded(name: str):
    return json.loads((RECORDINGS / name).read_text())


def recorded_events() -> list[dict]:
    """Every event in a captured answer; one of them was edited by hand by those who captured it."""
    found = []
    for path in sorted([*RECORDINGS.glob("live2026_event*.json"), *RECORDINGS.glob("delta_recurring_*.json")]):
        if path.name == "delta_recurring_edit_single_single_instance_1.json":
            continue
        body = json.loads(path.read_text())
        found += body.get("items", [body])
    return found


def test_recorded_versions_follow_our_arithmetic():
    events = [event for event in recorded_events() if "updated" in event]
    assert len(events) > 30
    for event in events:
        updated_us = int(event["etag"].strip('"')) // 2
        assert ids.etag(updated_us) == event["etag"]
        assert ids.stamp_text(updated_us) == event["updated"]
        assert ids.created_text(updated_us).endswith(event["created"][-5:])


def test_recorded_rules_are_written_back_unchanged():
    rules = {line for event in recorded_events() for line in event.get("recurrence", [])}
    assert len(rules) > 3
    assert [recurrence.written_back([line]) for line in sorted(rules)] == [[line] for line in sorted(rules)]


def test_recorded_instance_ids_are_the_ones_we_would_mint():
    seen = 0
    for event in recorded_events():
        if "originalStartTime" not in event:
            continue
        base, suffix = ids.INSTANCE_ID.match(event["id"]).groups()
        assert event["recurringEventId"].startswith(base)
        assert len(suffix) in (8, 16)
        seen += 1
    assert seen > 10


def keys_of(event: dict) -> list[str]:
    return [
        key for key in event if key not in {"attendees", "description", "location", "conferenceData", "hangoutLink"}
    ]


def test_our_events_have_the_keys_of_recorded_ones():
    store = GoogleStore(Core())
    store.add_mailbox("testuser@example.test", "Test", "Europe/Amsterdam")
    made = store.create_event(
        "testuser@example.test", timed("2026-08-03T10:00", "2026-08-03T11:00", "Europe/Amsterdam")
    )
    assert sorted(keys_of(made)) == sorted(keys_of(recorded("live2026_event_single.json")))
    in_order = recorded("delta_recurring_create_create.json")["items"][0]
    assert [key for key in made if key in in_order] == [key for key in in_order if key in made]


def test_our_series_and_tombstones_have_the_keys_of_recorded_ones():
    store = GoogleStore(Core())
    store.add_mailbox("anna@example.test", "Test", "America/Chicago")
    body = timed("2026-02-09T08:00", "2026-02-09T09:00", "America/Chicago", recurrence=["RRULE:FREQ=DAILY"])
    master = store.create_event("anna@example.test", body)
    store.patch_event("anna@example.test", f"{master['id']}_20260211T140000Z", {"summary": "Edited"})
    store.delete_event("anna@example.test", f"{master['id']}_20260210T140000Z")
    by_kind = {event["id"].partition("_")[2]: list(event) for event in store.events("anna@example.test")}
    edited = recorded("delta_recurring_edit_single_single_instance_3.json")["items"]
    assert by_kind[""] == list(edited[0])
    assert by_kind["20260211T140000Z"] == list(edited[1])
    assert by_kind["20260210T140000Z"] == list(recorded("bare_cancelled_instance_in_full_list.json"))


REFUSALS = {
    "error_400_import_participant.json": errors.neither_organizer_nor_attendee(),
    "error_400_import_with_id_invalid_resource_id.json": errors.invalid_id(),
    "error_400_orderby_not_available.json": errors.ordering_not_available(),
    "error_400_timerangeempty.json": errors.time_range_empty(),
    "error_401_missing_credentials_2026.json": errors.login_required(),
    "error_403_forbiddenfornonorganizer.json": errors.not_the_organizer(),
    "error_404_notfound.json": errors.not_found(),
    "error_409_duplicate.json": errors.duplicate(),
    "error_410_deleted.json": errors.deleted(),
    "error_410_fullsyncrequired.json": errors.full_sync_required(),
    "error_410_updatedmintoolongago.json": errors.updated_min_too_long_ago(),
    "error_412_conditionnotmet.json": errors.condition_not_met(),
    "error_live2026_forbidden.json": errors.insufficient_scopes(),
    "error_live2026_unauthorized.json": errors.invalid_credentials(),
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_our_refusals_say_what_the_recorded_ones_say(name):
    theirs, ours = recorded(name)["error"], REFUSALS[name].body()["error"]
    assert (ours["code"], ours["message"], ours["errors"]) == (theirs["code"], theirs["message"], theirs["errors"])
    assert ours.get("status") == theirs.get("status", ours.get("status"))


@pytest.mark.parametrize(
    "name",
    ["live2026_events_list.json", "live2026_events_delta.json", "delta_recurring_edit_all_all_1.json"],
)
def test_the_judge_of_answers_finds_nothing_wrong_with_recorded_ones(name):
    assert discovery.complaints("Events", recorded(name), unknown=True, nulls=False) == []
    broken = recorded(name) | {"updated": 5, "surprise": True}
    assert len(discovery.complaints("Events", broken, unknown=True, nulls=False)) == 2
