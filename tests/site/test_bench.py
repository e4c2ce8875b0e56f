"""The bench's own logic: figures, goals, the wrong name, and one small measurement from beginning to end."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from calsync_site.bench import runs
from calsync_site.bench.figures import Figure, Goal, percentile, table
from calsync_site.bench.metered import Metered
from calsync_site.bench.replay import replay
from calsync_site.bench.tokens import handed_out

ALL_NAMES = [*runs.GROUPS, *(name for names in runs.GROUPS.values() for name in names)]


def figure(name="backfill_rate", value=50.0, floor=100.0):
    return Figure(name, value, "events/s", floor, "50 ms")


def test_a_figure_is_one_line_of_json():
    assert json.loads(figure().line()) == {
        "figure": "backfill_rate",
        "value": 50.0,
        "unit": "events/s",
        "floor": 100.0,
        "ratio": 0.5,
        "setting": "50 ms",
    }


def test_a_figure_without_a_floor_has_no_ratio():
    assert figure(floor=None).ratio is None
    assert figure(floor=0.0).ratio is None


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal(most=50), True), (Goal(most=49), False), (Goal(share=0.5), True), (Goal(share=0.6), False)],
)
def test_a_goal_is_met_or_missed(goal, met):
    assert goal.met_by(figure()) is met


def test_the_table_shows_what_missed_its_goal():
    made = table([figure()], {"backfill_rate": Goal(share=0.6)})

    assert list(made.columns[5].cells) == ["at least 0.6 of the floor: MISSED"]


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(number) for number in range(1, 41)]

    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [20.0, 38.0, 40.0]
    assert percentile([7.0], 0.5) == 7.0


def test_every_goal_is_one_of_a_figure():
    assert set(runs.GOALS) <= set(ALL_NAMES)


def test_an_unknown_name_ends_with_2_and_the_list_of_names():
    with pytest.raises(CommandError) as error:
        call_command("bench", "--only", "speed")

    assert error.value.returncode == 2
    assert all(name in str(error.value) for name in ALL_NAMES)


def test_an_unknown_name_leaves_no_traceback(repository):
    command = [sys.executable, "manage.py", "bench", "--only", "speed"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"CommandError: There is no figure 'speed'\. Known: .*\n", done.stderr)


def test_tokens_are_found_in_links_and_in_fields():
    answer = (
        b'{"access_token": "a", "@odata.deltaLink": "http://x/delta?$deltatoken=b%3D1&$top=5", "nextSyncToken":"c"}'
    )

    assert handed_out(answer) == ["a", "b=1", "c"]


def test_a_meter_tells_log_ins_from_requests():
    with Metered() as simulator:
        recorded = [line("POST", "/token", status=400), line("GET", "/v1.0/users/nobody/events", status=401)]
        done = replay(recorded, simulator.url)

        assert done["astray"] == 0
        assert len(done["each"]) == 2
        assert simulator.totals() == {"requests": 1, "log_ins": 1, "quota": 1, "writes": 0}


def test_an_answer_that_differs_from_the_recorded_one_is_counted():
    with Metered() as simulator:
        assert replay([line("GET", "/v1.0/users/nobody/events", status=200)], simulator.url)["astray"] == 1


def line(method, target, *, status):
    return {"method": method, "target": target, "headers": {}, "body": "", "status": status, "tokens": []}


@pytest.fixture(scope="module")
def small(repository, tmp_path_factory) -> dict[str, Figure]:
    """A backfill of two people from beginning to end."""
    sizes = runs.Sizes(backfill_people=2, backfill_events=4)
    bench = runs.Bench(
        root=repository,
        workshop=tmp_path_factory.mktemp("bench"),
        latencies=[0.0],
        sizes=sizes,
        say=lambda line: None,
    )
    return {figure.name: figure for figure in runs.figures(bench, "backfill")}


def test_a_small_backfill_is_measured_beside_its_floor(small):
    assert set(small) == set(runs.GROUPS["backfill"])
    assert small["backfill_rate"].value > 0
    assert small["backfill_rate"].floor > small["backfill_rate"].value


def test_a_few_busy_slots_are_looked_up_and_searched(repository, tmp_path):
    sizes = runs.Sizes(busy_people=30, busy_slots=900, busy_lookups=40)
    bench = runs.Bench(root=repository, workshop=tmp_path, latencies=[0.0], sizes=sizes, say=lambda line: None)
    found = {figure.name: figure for figure in runs.figures(bench, "busy")}
    assert set(found) == set(runs.GROUPS["busy"])
    assert "900 slots of 30 people, sqlite" in found["busy_lookup_p95"].setting
    assert all(figure.value > 0 for figure in found.values())


def test_a_small_change_of_rules_is_measured_with_its_writes(repository, tmp_path):
    sizes = runs.Sizes(policy_people=2, policy_events=10, rules=12)
    bench = runs.Bench(root=repository, workshop=tmp_path, latencies=[0.0], sizes=sizes, say=lambda line: None)
    found = {figure.name: figure for figure in runs.figures(bench, "policy")}
    assert set(found) == set(runs.GROUPS["policy"])
    assert found["policy_preview_requests"].value == 0
    assert found["policy_writes"].value == 1
    assert "40 events, 12 rules, 4 events concerned" in found["policy_writes"].setting


def test_a_small_backfill_reads_each_side_once_and_writes_in_batches(small):
    people, events = 2, 16
    reads, batches = 2 * people, 2 * people

    assert reads + batches <= small["backfill_requests"].value * events <= reads + batches + people
    assert small["backfill_quota"].value >= small["backfill_quota"].floor
