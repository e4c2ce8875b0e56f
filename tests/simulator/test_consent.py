"""People's consent at both pretend providers: codes, proof keys, refresh tokens, what is withheld and taken back."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from calsync.simulator.google.oauth import OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.openid import encoded
from calsync.simulator.server import Simulator

ADA, BO, BACK = "ada@meridian.example", "bo@meridian.example", "https://calsync.example/back"
VERIFIER = "a proof key that only this client knows, long enough"
SIDES = ["microsoft", "google"]


@pytest.fixture
def sim():
    with Simulator() as sim:
        for address in (ADA, BO):
            sim.graph.add_mailbox(address, "Somebody", "Europe/Berlin")
            sim.google.add_mailbox(address, "Somebody", "Europe/Berlin")
        yield sim


def client(side: str) -> dict[str, str]:
    if side == "google":
        return {"client_id": OAUTH_CLIENT_ID, "client_secret": OAUTH_CLIENT_SECRET}
    return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def scope(side: str) -> str:
    if side == "google":
        return "openid https://www.googleapis.com/auth/calendar.events"
    return "openid offline_access User.Read Calendars.ReadWrite"


def address(sim: Simulator, side: str, what: str) -> str:
    google = {"authorize": "/o/oauth2/v2/auth", "token": "/token"}
    return sim.url + (google[what] if side == "google" else f"/{TENANT_ID}/oauth2/v2.0/{what}")


def consent(sim: Simulator, side: str, *, answer: str = "allow") -> dict[str, list[str]]:
    """What comes back in the address after the person has answered."""
    asked = {
        "client_id": client(side)["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": scope(side),
        "state": "s1",
        "nonce": "n1",
        "access_type": "offline",
        "code_challenge": encoded(hashlib.sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
    }
    form = {"account": ADA, "answer": answer}
    told = requests.post(address(sim, side, "authorize"), params=asked, data=form, allow_redirects=False, timeout=5)
    return parse_qs(urlsplit(told.headers["Location"]).query)


def token(sim: Simulator, side: str, **form: str) -> requests.Response:
    return requests.post(address(sim, side, "token"), data={**client(side), **form}, timeout=5)


def by_code(sim: Simulator, side: str, **changed: str) -> requests.Response:
    code = consent(sim, side)["code"][0]
    form = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return token(sim, side, grant_type="authorization_code", **{**form, **changed})


def refreshed(sim: Simulator, side: str, held: str) -> requests.Response:
    return token(sim, side, grant_type="refresh_token", refresh_token=held)


@pytest.mark.parametrize("side", SIDES)
def test_a_code_becomes_tokens_and_an_identity_once(sim, side):
    code = consent(sim, side)
    assert code["state"] == ["s1"]
    form = {
        "grant_type": "authorization_code",
        "code": code["code"][0],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }

    first, second = token(sim, side, **form), token(sim, side, **form)

    assert {"access_token", "refresh_token", "id_token"} <= first.json().keys()
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    "changed", [{"code_verifier": "another"}, {"redirect_uri": "https://evil.example/"}, {"code": "made-up"}]
)
def test_a_code_in_the_wrong_hands_is_worth_nothing(sim, side, changed):
    assert by_code(sim, side, **changed).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("side", SIDES)
def test_a_client_without_its_secret_gets_no_token(sim, side):
    assert by_code(sim, side, client_secret="wrong").json()["error"] == "invalid_client"


@pytest.mark.parametrize("side", SIDES)
def test_somebody_who_says_no_sends_an_error_back(sim, side):
    assert consent(sim, side, answer="deny")["error"] == ["access_denied"]


@pytest.mark.parametrize("side", SIDES)
def test_a_permission_that_is_withheld_is_missing_in_the_answer(sim, side):
    wanted = scope(side).split()[-1]
    sim.core.switches.consent_withholds = wanted

    assert wanted not in by_code(sim, side).json()["scope"]


def test_microsoft_hands_out_a_new_refresh_token_and_keeps_the_old_one_unless_told_otherwise(sim):
    old = by_code(sim, "microsoft").json()["refresh_token"]
    assert refreshed(sim, "microsoft", old).json()["refresh_token"] != old
    assert refreshed(sim, "microsoft", old).ok

    sim.core.switches.graph_refresh_tokens_serve_once = True

    assert refreshed(sim, "microsoft", old).ok
    assert refreshed(sim, "microsoft", old).json()["error"] == "invalid_grant"


def test_google_keeps_the_refresh_token_unless_told_otherwise(sim):
    old = by_code(sim, "google").json()["refresh_token"]
    assert "refresh_token" not in refreshed(sim, "google", old).json()

    sim.core.switches.google_refresh_tokens_rotate = True

    new = refreshed(sim, "google", old).json()["refresh_token"]
    assert refreshed(sim, "google", new).ok
    assert refreshed(sim, "google", old).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("side", SIDES)
def test_what_a_person_takes_back_is_over(sim, side):
    held = by_code(sim, side).json()["refresh_token"]
    requests.post(f"{sim.url}/_sim/revoke", json={"address": ADA}, timeout=5)

    assert refreshed(sim, side, held).json()["error"] == "invalid_grant"


def test_google_ends_a_token_on_request_and_knows_it_no_more(sim):
    held = by_code(sim, "google").json()["refresh_token"]

    assert requests.post(f"{sim.url}/revoke", data={"token": held}, timeout=5).ok
    again = requests.post(f"{sim.url}/revoke", data={"token": held}, timeout=5)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


def test_a_delegated_token_reaches_its_own_mailbox_and_no_other(sim):
    bearer = {"Authorization": f"Bearer {by_code(sim, 'microsoft').json()['access_token']}"}

    def status(path: str) -> int:
        return requests.get(f"{sim.url}/v1.0/{path}", headers=bearer, timeout=5).status_code

    assert (status("me"), status(f"users/{ADA}/calendars"), status(f"users/{BO}/calendars")) == (200, 200, 403)


def test_what_a_person_delegates_needs_no_permission_of_the_application(sim):
    bearer = {"Authorization": f"Bearer {by_code(sim, 'microsoft').json()['access_token']}"}
    sim.graph.login.apps[CLIENT_ID].roles = set()
    one = {"id": "1", "method": "GET", "url": f"/users/{ADA}/calendars"}
    foreign = {"id": "1", "method": "GET", "url": f"/users/{BO}/calendars"}

    def together(part):
        answer = requests.post(f"{sim.url}/v1.0/$batch", json={"requests": [part]}, headers=bearer, timeout=5)
        return answer.json()["responses"][0]["status"] if answer.ok else answer.status_code

    alone = requests.get(f"{sim.url}/v1.0/users/{ADA}/calendars", headers=bearer, timeout=5)
    assert (alone.status_code, together(one), together(foreign)) == (200, 200, 403)
