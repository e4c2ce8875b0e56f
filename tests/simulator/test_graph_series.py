"""Recurring events on the pretend Graph: expansion, instances, exceptions, deletions, reshaping."""

from __future__ import annotations

from datetime import date

import pytest

from calsync.simulator.graph import ids
from tests.simulator.graph_world import ALICE, code_of, instances, serve_graph, single, weekly

EVENTS = f"/users/{ALICE}/events"


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def series(pattern, start="2026-11-02", clock="10:00:00", zone="Europe/Berlin", **span):
    span = {"type": "noEnd", **span, "startDate": start}
    recurrence = {"pattern": {"interval": 1, **pattern}, "range": span}
    return single("Series", f"{start}T{clock}", f"{start}T{clock[:3]}30:00", zone=zone, recurrence=recurrence)


def days(client, body, until="2027-12-31"):
    master = client.create(body)
    path = (
        f"{EVENTS}/{master['id']}/instances?startDateTime=2026-01-01T00:00:00Z&endDateTime={until}T00:00:00Z&$top=900"
    )
    found = client.get(path, Prefer=f'outlook.timezone="{body["start"]["timeZone"]}"').json()["value"]
    return [one["start"]["dateTime"][:10] for one in found]


def move(client, instance, start, end, zone="Europe/Berlin"):
    times = {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
    return client.patch(f"{EVENTS}/{instance['id']}", times)


def test_a_recurrence_comes_back_with_every_filler(client):
    master = client.create(weekly())
    assert master["type"] == "seriesMaster"
    assert master["recurrence"] == {
        "pattern": {
            "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday"],
            "firstDayOfWeek": "sunday", "index": "first",
        },
        "range": {
            "type": "numbered", "startDate": "2026-11-02", "endDate": "0001-01-01",
            "recurrenceTimeZone": "W. Europe Standard Time", "numberOfOccurrences": 4,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "span", "expected"),
    [
        (
            {"type": "daily", "interval": 3},
            {"type": "numbered", "numberOfOccurrences": 3},
            ["2026-11-02", "2026-11-05", "2026-11-08"],
        ),
        (
            {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "monday"], "firstDayOfWeek": "sunday"},
            {"type": "endDate", "endDate": "2026-11-30"},
            ["2026-11-02", "2026-11-15", "2026-11-16", "2026-11-29", "2026-11-30"],
        ),
        (
            {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "monday"], "firstDayOfWeek": "monday"},
            {"type": "endDate", "endDate": "2026-11-30"},
            ["2026-11-02", "2026-11-08", "2026-11-16", "2026-11-22", "2026-11-30"],
        ),
        (
            {"type": "relativeMonthly", "daysOfWeek": ["tuesday", "thursday"], "index": "second"},
            {"type": "numbered", "numberOfOccurrences": 2},
            ["2026-11-05", "2026-12-03"],
        ),
        (
            {"type": "relativeYearly", "month": 11, "daysOfWeek": ["thursday"], "index": "last"},
            {"type": "numbered", "numberOfOccurrences": 2},
            ["2026-11-26", "2027-11-25"],
        ),
    ],
)  # fmt: skip
def test_patterns_expand_as_exchange_does(client, pattern, span, expected):
    assert days(client, series(pattern, **span)) == expected


def test_day_31_is_clamped_to_the_end_of_short_months(client):
    body = series(
        {"type": "absoluteMonthly", "dayOfMonth": 31}, start="2026-01-31", type="numbered", numberOfOccurrences=4
    )
    assert days(client, body) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_a_leap_day_is_clamped_every_year(client):
    body = series({"type": "absoluteYearly", "month": 2, "dayOfMonth": 29}, start="2026-02-28")
    assert days(client, body) == ["2026-02-28", "2027-02-28"]


def test_the_wall_clock_is_kept_when_the_clocks_change(client):
    master = client.create(series({"type": "weekly", "daysOfWeek": ["monday"]}, start="2027-03-22"))
    path = f"{EVENTS}/{master['id']}/instances?startDateTime=2027-03-20T00:00:00Z&endDateTime=2027-04-01T00:00:00Z"
    utc = [one["start"]["dateTime"] for one in client.get(path).json()["value"]]
    assert utc == ["2027-03-22T09:00:00.0000000", "2027-03-29T08:00:00.0000000"]


def test_a_series_begins_at_the_first_match_of_its_pattern(client):
    master = client.create(series({"type": "weekly", "daysOfWeek": ["friday"]}))
    assert master["start"]["dateTime"].startswith("2026-11-06")
    assert master["recurrence"]["range"]["startDate"] == "2026-11-06"


@pytest.mark.parametrize(
    ("pattern", "span", "code"),
    [
        ({"type": "weekly", "daysOfWeek": ["monday"]}, {"recurrenceTimeZone": "UTC"}, "ErrorPropertyValidationFailure"),
        ({"type": "weekly"}, {}, "ErrorCalendarInvalidRecurrence"),
        ({"type": "absoluteMonthly"}, {}, "ErrorCalendarInvalidRecurrence"),
        ({"type": "absoluteYearly", "dayOfMonth": 3}, {}, "ErrorCalendarInvalidRecurrence"),
        ({"type": "weekly", "daysOfWeek": ["monday"], "interval": 100}, {}, "ErrorCalendarInvalidRecurrence"),
        ({"type": "weekly", "daysOfWeek": ["monday"], "dayOfMonth": 40}, {}, "ErrorCalendarInvalidRecurrence"),
        ({"type": "monthly"}, {}, "RequestBodyRead"),
        ({"type": "daily"}, {"type": "endDate", "endDate": "4600-01-01"}, "ErrorRecurrenceEndDateTooBig"),
        ({"type": "daily"}, {"type": "endDate", "endDate": "2026-10-01"}, "ErrorRecurrenceHasNoOccurrence"),
        ({"type": "daily"}, {"type": "numbered", "numberOfOccurrences": 1000}, "ErrorCalendarInvalidRecurrence"),
    ],
)  # fmt: skip
def test_a_wrong_recurrence_is_refused(client, pattern, span, code):
    assert code_of(client.post(EVENTS, series(pattern, **span))) == (400, code)


def test_the_start_date_must_be_the_local_day_of_the_start(client):
    body = weekly()
    body["recurrence"]["range"]["startDate"] = "2026-11-03"
    assert code_of(client.post(EVENTS, body)) == (400, "ErrorInvalidRecurrenceRange")
    del body["recurrence"]["range"]["startDate"]
    assert code_of(client.post(EVENTS, body)) == (400, "ErrorRecurrenceEndDateTooBig")


def test_both_spellings_of_the_zone_are_equal_in_the_range(client):
    body = weekly()
    body["recurrence"]["range"]["recurrenceTimeZone"] = "W. Europe Standard Time"
    assert client.post(EVENTS, body).status_code == 201


def test_an_occurrence_longer_than_the_gap_is_refused(client):
    body = series({"type": "daily"})
    body["end"]["dateTime"] = "2026-11-03T12:00:00"
    assert code_of(client.post(EVENTS, body)) == (400, "ErrorOccurrenceTimeSpanTooBig")


def test_lists_show_masters_and_views_show_instances(client):
    client.create(weekly())
    client.create(single())
    assert {one["type"] for one in client.get(EVENTS).json()["value"]} == {"seriesMaster", "singleInstance"}
    path = f"/users/{ALICE}/calendarView?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-11-17T00:00:00Z"
    shown = client.get(path).json()["value"]
    assert [one["type"] for one in shown] == ["occurrence", "occurrence", "singleInstance", "occurrence"]
    assert all("occurrenceId" in one and "originalStart" not in one for one in shown)
    assert code_of(client.get(f"/users/{ALICE}/calendarView"))[0] == 400


def test_instance_ids_carry_the_original_date_and_stay_when_moved(client):
    master = client.create(weekly())
    second = instances(client, master)[1]
    assert ids.split_instance_id(second["id"]) == (master["id"], date(2026, 11, 9))
    moved = move(client, second, "2026-11-11T15:00:00", "2026-11-11T16:00:00").json()
    assert (moved["id"], moved["type"]) == (second["id"], "exception")
    assert moved["occurrenceId"] == f"OID.{master['id']}.2026-11-09"
    assert client.event(moved["id"], "?$select=originalStart")["originalStart"] == "2026-11-09T09:00:00Z"


def test_object_ids_differ_per_instance_and_agree_once_cleaned(client):
    master = client.create(weekly())
    found = [one["iCalUId"] for one in instances(client, master)]
    assert len(set(found)) == 4
    assert found[1][32:40] == "07EA0B09"
    assert {ids.cleaned(one) for one in found} == {master["iCalUId"]}


def test_an_instance_opens_by_its_immutable_id_too(client):
    master = client.create(weekly())
    path = f"{EVENTS}/{master['id']}/instances?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"
    fixed = client.get(path, Prefer='IdType="ImmutableId"').json()["value"][0]
    assert client.event(fixed["id"])["type"] == "occurrence"
    assert fixed["seriesMasterId"] == client.event(master["id"], Prefer='IdType="ImmutableId"')["id"]


def test_editing_an_occurrence_moves_the_masters_version(client):
    master = client.create(weekly())
    client.patch(f"{EVENTS}/{instances(client, master)[0]['id']}", {"subject": "Special"})
    assert client.event(master["id"])["@odata.etag"] != master["@odata.etag"]
    assert len({one["@odata.etag"] for one in instances(client, master)}) == 1


def test_an_exception_keeps_its_own_values_and_inherits_the_rest(client):
    master = client.create(weekly())
    first = instances(client, master)[0]
    client.patch(f"{EVENTS}/{first['id']}", {"subject": "Special"})
    client.patch(f"{EVENTS}/{master['id']}", {"subject": "Renamed", "showAs": "free"})
    shown = client.event(first["id"])
    assert (shown["subject"], shown["showAs"], shown["type"]) == ("Special", "free", "exception")


def test_a_deleted_occurrence_is_told_by_the_master_only_when_asked(client):
    master = client.create(weekly())
    third = instances(client, master)[2]
    assert client.delete(f"{EVENTS}/{third['id']}").status_code == 204
    assert "cancelledOccurrences" not in client.event(master["id"])
    shown = client.event(master["id"], "?$select=cancelledOccurrences")
    assert shown["cancelledOccurrences"] == [f"OID.{master['id']}.2026-11-16"]
    assert len(instances(client, master)) == 3
    assert code_of(client.get(f"{EVENTS}/{third['id']}")) == (404, "ErrorItemNotFound")
    assert code_of(client.delete(f"{EVENTS}/{third['id']}")) == (404, "ErrorItemNotFound")


def test_exceptions_come_along_when_selected_and_expanded(client):
    master = client.create(weekly())
    first, second, *_ = instances(client, master)
    client.patch(f"{EVENTS}/{first['id']}", {"subject": "Special"})
    client.delete(f"{EVENTS}/{second['id']}")
    both = "?$select=exceptionOccurrences&$expand=exceptionOccurrences($select=subject,originalStart)"
    shown = client.event(master["id"], both)["exceptionOccurrences"]
    assert [(one["subject"], one["originalStart"]) for one in shown] == [("Special", "2026-11-02T09:00:00Z")]
    assert "exceptionOccurrences" not in client.event(master["id"], "?$select=exceptionOccurrences")
    client.sim.core.switches.graph_expand_exceptions_refused = True
    assert client.get(f"{EVENTS}/{master['id']}{both}").status_code == 400


@pytest.mark.parametrize("day", ["2026-11-16", "2026-11-17", "2026-11-02", "2026-11-01"])
def test_an_exception_cannot_reach_the_day_of_a_neighbour(client, day):
    second = instances(client, client.create(weekly()))[1]
    answer = move(client, second, f"{day}T15:00:00", f"{day}T16:00:00")
    assert code_of(answer) == (400, "ErrorOccurrenceCrossingBoundary")


def test_a_deleted_neighbour_stands_in_nobodys_way(client):
    master = client.create(weekly())
    first, second, *_ = instances(client, master)
    client.delete(f"{EVENTS}/{first['id']}")
    assert move(client, second, "2026-11-01T15:00:00", "2026-11-01T16:00:00").status_code == 200


def test_an_instance_cannot_carry_a_recurrence(client):
    master = client.create(weekly())
    first = instances(client, master)[0]
    answer = client.patch(f"{EVENTS}/{first['id']}", {"recurrence": master["recurrence"]})
    assert code_of(answer) == (400, "ErrorInvalidRequest")


def spoil(client, master):
    first, second, *_ = instances(client, master)
    client.patch(f"{EVENTS}/{first['id']}", {"subject": "Special"})
    client.delete(f"{EVENTS}/{second['id']}")


def kinds(client, master):
    return [one["type"] for one in instances(client, master)]


def test_changing_only_the_end_wipes_exceptions_and_restores_deleted_occurrences(client):
    master = client.create(weekly())
    spoil(client, master)
    end = {"end": {"dateTime": "2026-11-02T10:45:00", "timeZone": "Europe/Berlin"}}
    assert client.patch(f"{EVENTS}/{master['id']}", end).status_code == 200
    assert kinds(client, master) == ["occurrence"] * 4


def test_a_reshape_may_keep_what_still_fits(client):
    client.sim.core.switches.graph_reshape_wipes_exceptions = False
    master = client.create(weekly())
    spoil(client, master)
    longer = weekly(count=6)["recurrence"]
    client.patch(f"{EVENTS}/{master['id']}", {"recurrence": longer})
    assert kinds(client, master) == ["exception", *["occurrence"] * 4]


def test_a_new_subject_or_the_same_recurrence_again_keeps_exceptions(client):
    master = client.create(weekly())
    spoil(client, master)
    client.patch(f"{EVENTS}/{master['id']}", {"subject": "Renamed"})
    client.patch(f"{EVENTS}/{master['id']}", {"recurrence": master["recurrence"]})
    whole = {key: weekly()[key] for key in ("start", "end", "recurrence")}
    client.patch(f"{EVENTS}/{master['id']}", whole)
    assert kinds(client, master) == ["exception", "occurrence", "occurrence"]


def test_a_masters_zone_changes_only_together_with_its_recurrence(client):
    master = client.create(weekly())
    body = weekly(zone="America/New_York")
    times = {"start": body["start"], "end": body["end"]}
    assert code_of(client.patch(f"{EVENTS}/{master['id']}", times)) == (400, "ErrorPropertyValidationFailure")
    assert client.patch(f"{EVENTS}/{master['id']}", times | {"recurrence": body["recurrence"]}).status_code == 200
    assert client.event(master["id"])["originalStartTimeZone"] == "Eastern Standard Time"


def test_a_series_collapses_to_its_first_occurrence(client):
    master = client.create(weekly())
    after = client.patch(f"{EVENTS}/{master['id']}", {"recurrence": None}).json()
    assert (after["type"], after["recurrence"]) == ("singleInstance", None)
    assert after["start"]["dateTime"] == "2026-11-02T09:00:00.0000000"


def test_a_single_event_becomes_a_series(client):
    made = client.create(single(start="2026-11-02T10:00:00", end="2026-11-02T11:00:00"))
    after = client.patch(f"{EVENTS}/{made['id']}", {"recurrence": weekly()["recurrence"]}).json()
    assert after["type"] == "seriesMaster"
    assert len(instances(client, made)) == 4


def test_an_all_day_series_runs_over_dates(client):
    recurrence = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": 2},
    }
    body = single(
        start="2026-11-02T00:00:00", end="2026-11-03T00:00:00", isAllDay=True, zone="Asia/Tokyo", recurrence=recurrence
    )
    found = [one["start"]["dateTime"] for one in instances(client, client.create(body))]
    assert found == ["2026-11-02T00:00:00.0000000", "2026-11-03T00:00:00.0000000"]


def test_instances_need_a_window_and_a_series(client):
    master, lone = client.create(weekly()), client.create(single())
    assert client.get(f"{EVENTS}/{master['id']}/instances").status_code == 400
    window = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"
    assert client.get(f"{EVENTS}/{lone['id']}/instances?{window}").status_code == 400


def test_a_stored_series_tells_its_exceptions_and_deletions(client):
    master = client.create(weekly())
    spoil(client, master)
    stored = client.sim.graph.events(ALICE)[0]
    assert stored["cancelled"] == ["2026-11-09"]
    assert stored["exceptions"]["2026-11-02"]["subject"] == "Special"
    assert stored["exceptions"]["2026-11-02"]["start"]["timeZone"] == "Europe/Berlin"
