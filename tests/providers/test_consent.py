"""People's own consent at both providers, against the simulator over real HTTP: what is asked, checked and renewed."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from calsync.providers.base import AuthenticationFailed, Transient
from calsync.providers.consent import ConsentEnded, ConsentRefused, Expected, checked_claims
from calsync.providers.google.consent import WANTED as GOOGLE_SCOPES
from calsync.providers.google.consent import GoogleClient, GoogleConsent
from calsync.providers.graph import GraphCredentials, GraphEndpoints
from calsync.providers.graph.consent import WANTED as GRAPH_SCOPES
from calsync.providers.graph.consent import GraphConsent
from calsync.simulator.google.oauth import OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator

ADA, BACK = "ada@meridian.example", "http://127.0.0.1:9/back"
BOTH = ["outlook", "google"]
WANTED = {"outlook": GRAPH_SCOPES, "google": GOOGLE_SCOPES}


@pytest.fixture
def sim():
    with Simulator() as sim:
        for name in ("ada", "bo"):
            sim.graph.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
            sim.google.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
        yield sim


def desk_at(sim: Simulator, platform: str, *, secret: str = ""):
    if platform == "google":
        return GoogleConsent(GoogleClient(OAUTH_CLIENT_ID, secret or OAUTH_CLIENT_SECRET, sim.url))
    credentials = GraphCredentials(TENANT_ID, CLIENT_ID, client_secret=secret or CLIENT_SECRET)
    return GraphConsent(credentials, GraphEndpoints(sim.url, sim.url))


def answered(begun, *, account: str = ADA, answer: str = "allow") -> dict[str, str]:
    """What the browser brings back."""
    told = requests.post(begun.url, data={"account": account, "answer": answer}, allow_redirects=False, timeout=5)
    assert told.status_code == 302, told.text
    return {name: values[0] for name, values in parse_qs(urlsplit(told.headers["Location"]).query).items()}


def granted(sim: Simulator, platform: str):
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)
    return desk, desk.finish(begun.pending, answered(begun), now=datetime.now(UTC))


@pytest.mark.parametrize("platform", BOTH)
def test_the_page_of_consent_is_asked_for_everything_that_keeps_the_answer_ours(sim, platform):
    begun = desk_at(sim, platform).begin(redirect_uri=BACK, hint=ADA)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}

    digest = hashlib.sha256(begun.pending["code_verifier"].encode()).digest()
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert asked["state"] == begun.pending["state"]
    assert len(asked["nonce"]) >= 22
    assert asked["login_hint"] == ADA
    assert asked["redirect_uri"] == BACK
    assert set(WANTED[platform]) | {"openid"} <= set(asked["scope"].split())
    offline = asked.get("access_type") == "offline" and "consent" in asked["prompt"]
    assert offline if platform == "google" else "offline_access" in asked["scope"].split()


@pytest.mark.parametrize("platform", BOTH)
def test_a_yes_gives_tokens_and_the_address_that_is_vouched_for(sim, platform):
    _, consent = granted(sim, platform)

    assert consent.address == ADA
    assert consent.tokens.access
    assert consent.tokens.refresh
    assert timedelta(minutes=50) < consent.tokens.lasts <= timedelta(hours=1)
    assert {scope.lower() for scope in WANTED[platform]} <= consent.tokens.scopes
    assert consent.tokens.access not in repr(consent)


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize("state", ["", "made-up"])
def test_an_answer_with_a_foreign_state_is_refused_before_the_code_is_used(sim, platform, state):
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)
    answer = answered(begun)

    with pytest.raises(ConsentRefused) as refused:
        desk.finish(begun.pending, answer | {"state": state}, now=datetime.now(UTC))

    assert refused.value.code == "state"
    assert desk.finish(begun.pending, answer, now=datetime.now(UTC)).address == ADA


@pytest.mark.parametrize("platform", BOTH)
def test_a_session_that_asked_for_nothing_gets_nothing(sim, platform):
    with pytest.raises(ConsentRefused):
        desk_at(sim, platform).finish({}, {"state": "", "code": "stolen"}, now=datetime.now(UTC))


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize("changed", ["code_verifier", "nonce"])
def test_a_code_is_worth_nothing_without_its_proof_key_and_a_token_without_its_nonce(sim, platform, changed):
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)
    pending = begun.pending | {changed: "another one, which is long enough to be taken for a proof key"}

    with pytest.raises(ConsentRefused) as refused:
        desk.finish(pending, answered(begun), now=datetime.now(UTC))

    assert "another one" not in str(refused.value)


@pytest.mark.parametrize("platform", BOTH)
def test_a_code_serves_once(sim, platform):
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)
    answer = answered(begun)
    desk.finish(begun.pending, answer, now=datetime.now(UTC))

    with pytest.raises(ConsentRefused):
        desk.finish(begun.pending, answer, now=datetime.now(UTC))


@pytest.mark.parametrize("platform", BOTH)
def test_somebody_who_says_no_is_told_so(sim, platform):
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)

    with pytest.raises(ConsentRefused, match="did not allow"):
        desk.finish(begun.pending, answered(begun, answer="deny"), now=datetime.now(UTC))


@pytest.mark.parametrize(("platform", "scope"), [(name, scope) for name in BOTH for scope in WANTED[name]])
def test_a_permission_that_is_withheld_is_named(sim, platform, scope):
    sim.core.switches.consent_withholds = scope
    desk = desk_at(sim, platform)
    begun = desk.begin(redirect_uri=BACK, hint=ADA)

    with pytest.raises(ConsentRefused) as refused:
        desk.finish(begun.pending, answered(begun), now=datetime.now(UTC))

    assert WANTED[platform][scope] in str(refused.value)


def test_a_consent_without_lasting_access_is_refused(sim):
    sim.core.switches.consent_withholds = "offline_access"
    desk = desk_at(sim, "outlook")
    begun = desk.begin(redirect_uri=BACK, hint=ADA)

    with pytest.raises(ConsentRefused, match="while you are away"):
        desk.finish(begun.pending, answered(begun), now=datetime.now(UTC))


def test_a_guest_of_the_tenant_is_refused_whatever_mail_it_shows(sim):
    guest = "ada_partner.example#ext#@meridian.example"
    sim.graph.add_mailbox(guest, "Guest", "Europe/Berlin")
    desk = desk_at(sim, "outlook")
    begun = desk.begin(redirect_uri=BACK, hint=ADA)

    with pytest.raises(ConsentRefused, match="guest"):
        desk.finish(begun.pending, answered(begun, account=guest), now=datetime.now(UTC))


@pytest.mark.parametrize("said", [{"email_verified": False}, {"hd": ""}])
def test_an_address_that_google_does_not_vouch_for_is_refused(sim, monkeypatch, said):
    told = sim.google.tokens.claims
    monkeypatch.setattr(type(sim.google.tokens), "claims", lambda self, *args: told(*args) | said)
    desk = desk_at(sim, "google")
    begun = desk.begin(redirect_uri=BACK, hint=ADA)

    with pytest.raises(ConsentRefused, match="private"):
        desk.finish(begun.pending, answered(begun), now=datetime.now(UTC))


@pytest.mark.parametrize("platform", BOTH)
def test_tokens_are_renewed_and_a_rotated_refresh_token_comes_along(sim, platform):
    sim.core.switches.google_refresh_tokens_rotate = True
    desk, consent = granted(sim, platform)

    fresh = desk.renew(consent.tokens.refresh)

    assert fresh.access != consent.tokens.access
    assert fresh.refresh not in ("", consent.tokens.refresh)
    assert desk.renew(fresh.refresh).access


@pytest.mark.parametrize("platform", BOTH)
def test_a_consent_that_was_taken_back_has_ended(sim, platform):
    desk, consent = granted(sim, platform)
    requests.post(f"{sim.url}/_sim/revoke", json={"address": ADA}, timeout=5)

    with pytest.raises(ConsentEnded) as ended:
        desk.renew(consent.tokens.refresh)

    assert "Link the mailbox again" in ended.value.remedy


@pytest.mark.parametrize("platform", BOTH)
def test_a_client_whose_secret_is_wrong_is_it_staffs_trouble_and_nobody_s_consent_ends(sim, platform):
    _, consent = granted(sim, platform)

    with pytest.raises(AuthenticationFailed) as refused:
        desk_at(sim, platform, secret="wrong").renew(consent.tokens.refresh)

    assert not isinstance(refused.value, ConsentEnded)


def test_a_consent_is_ended_at_google_and_cannot_be_at_microsoft(sim):
    desk, consent = granted(sim, "google")
    assert desk.revoke(consent.tokens.refresh)
    with pytest.raises(ConsentEnded):
        desk.renew(consent.tokens.refresh)
    assert desk.revoke(consent.tokens.refresh)  # over already: nothing to complain about

    desk, consent = granted(sim, "outlook")
    assert not desk.revoke(consent.tokens.refresh)


@pytest.mark.parametrize("platform", BOTH)
def test_a_provider_that_is_away_is_passing_trouble(platform):
    with Simulator() as sim:
        desk = desk_at(sim, platform)

    with pytest.raises(Transient):
        desk.renew("a refresh token")


# --- ID tokens --------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RIGHT = {"iss": "https://issuer.example", "aud": "us", "nonce": "n", "exp": NOW.timestamp() + 3600, "email": ADA}
EXPECTED = Expected(frozenset({"https://issuer.example"}), "us", "n")


def jwt(claims: dict) -> str:
    parts = ({"alg": "RS256"}, claims)
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "s"]
    )


def test_an_id_token_that_fits_tells_its_claims():
    assert checked_claims(jwt(RIGHT), EXPECTED, now=NOW)["email"] == ADA
    assert checked_claims(jwt(RIGHT | {"aud": ["us"], "azp": "us"}), EXPECTED, now=NOW)["email"] == ADA


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "somebody else"},
        {"aud": ["us", "somebody else"]},
        {"aud": []},
        {"azp": "somebody else"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW.timestamp() - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
    ],
)
def test_an_id_token_with_one_wrong_claim_is_refused(wrong):
    with pytest.raises(ConsentRefused):
        checked_claims(jwt(RIGHT | wrong), EXPECTED, now=NOW)


@pytest.mark.parametrize("text", [None, "", "no token", "a.b.c", "a.W10.c"])
def test_what_is_no_id_token_is_refused(text):
    with pytest.raises(ConsentRefused):
        checked_claims(text, EXPECTED, now=NOW)


def test_a_nonce_that_was_never_made_fits_nothing():
    with pytest.raises(ConsentRefused):
        checked_claims(jwt(RIGHT | {"nonce": ""}), Expected(EXPECTED.issuers, "us", ""), now=NOW)
