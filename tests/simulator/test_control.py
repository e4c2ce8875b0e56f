from __future__ import annotations

import pytest
import requests

from calsync.simulator.server import Simulator


@pytest.fixture
def sim():
    with Simulator() as running:
        yield running


def get(sim, path, **query):
    return requests.get(f"{sim.url}/_sim/{path}", params=query, timeout=10)


def post(sim, path, **body):
    return requests.post(f"{sim.url}/_sim/{path}", json=body, timeout=30)


def test_a_company_is_made_acts_and_is_counted(sim):
    made = post(sim, "company", people=9, events=50, seed=1).json()
    assert made["csv"] == get(sim, "company.csv").text
    assert made["csv"].count("\n") == 10
    assert made["google_admin"] in sim.google.users
    state = get(sim, "state").json()
    assert (state["graph"]["mailboxes"], state["google"]["mailboxes"]) == (6, 6)
    assert state["graph"]["events"] + state["google"]["events"] >= 50
    acts = post(sim, "act", times=5).json()["acts"]
    assert len(acts) == 5
    assert acts[0].keys() == {"mailbox", "verb", "event_id"}
    assert post(sim, "company").status_code == 400


def test_acting_without_a_company_says_what_to_do_first(sim):
    answer = post(sim, "act", times=1)
    assert (answer.status_code, answer.json()) == (400, {"error": "there is no company yet: POST /_sim/company first"})


def test_the_outbox_tells_who_acted_and_can_be_cleared(sim):
    post(sim, "company", people=9, events=60, seed=1)
    mails = get(sim, "outbox").json()["mails"]
    assert mails
    assert all(mail["by_person"] for mail in mails)
    post(sim, "outbox/clear")
    assert get(sim, "outbox").json() == {"mails": []}


def test_the_ledger_counts_calls_and_can_be_cleared(sim):
    assert requests.get(f"{sim.url}/calendar/v3/users/me/calendarList", timeout=5).status_code == 401
    ledger = get(sim, "ledger", calls=1).json()
    assert ledger["counts"] == {"google GET": 1}
    assert ledger["calls"][0]["status"] == 401
    assert ledger["writes"] == 0
    post(sim, "ledger/clear")
    assert get(sim, "ledger").json() == {"counts": {}, "writes": 0}


def test_a_fault_ordered_from_outside_hits_the_next_request(sim):
    post(sim, "faults", faults=[{"provider": "google", "kind": "status", "status": 503}])
    url = f"{sim.url}/calendar/v3/users/me/calendarList"
    assert [requests.get(url, timeout=5).status_code for _ in range(2)] == [503, 401]
    assert post(sim, "faults", faults=[{"nonsense": 1}]).status_code == 400
    assert post(sim, "faults", clear=True).json() == {"faults": 0}


def test_switches_are_set_by_name_and_kind(sim):
    assert post(sim, "switches", latency_ms=5).json()["latency_ms"] == 5
    assert sim.core.switches.latency_ms == 5
    assert post(sim, "switches", no_such_thing=True).status_code == 400
    assert post(sim, "switches", notifications="yes").status_code == 400


def test_the_key_file_points_back_at_this_simulator(sim):
    info = get(sim, "service-account.json").json()
    assert info["token_uri"] == f"{sim.url}/token"
    assert info["private_key"].startswith("-----BEGIN PRIVATE KEY-----")


def test_an_unknown_order_is_not_found(sim):
    assert get(sim, "nothing").status_code == 404


def test_the_clock_moves_and_tokens_expire_on_order(sim):
    before = sim.core.clock.now()
    post(sim, "clock", seconds=3600)
    assert (sim.core.clock.now() - before).total_seconds() >= 3600
    sim.google.add_mailbox("a@meridian.example", "A", "Europe/Berlin")
    generation = sim.google.calendars["a@meridian.example"].generation
    post(sim, "expire")
    assert sim.google.calendars["a@meridian.example"].generation == generation + 1
