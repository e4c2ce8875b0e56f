"""Login, discovery, users and mailboxes of the pretend Microsoft 365."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import msal
import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import CertificateBuilder, Name, NameAttribute, NameOID, random_serial_number

from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from tests.simulator.graph_world import ALICE, BOB, code_of, serve_graph, single

SCOPE = ["https://graph.microsoft.com/.default"]
LOGIN = "https://login.microsoftonline.com"


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


class Rewriting(requests.Session):
    """The seam a local client uses: the real login host's name on the simulator's address."""

    def __init__(self, url):
        super().__init__()
        self.trust_env = False
        self.here = url

    def request(self, method, url, *rest, **more):
        return super().request(method, url.replace(LOGIN, self.here), *rest, **more)


def application(client, credential=CLIENT_SECRET, tenant="", client_id=CLIENT_ID):
    authority = f"{LOGIN}/{tenant or client.sim.graph.tenant_id}"
    seam = Rewriting(client.sim.url)
    return msal.ConfidentialClientApplication(
        client_id, client_credential=credential, authority=authority, http_client=seam
    )


def test_msal_gets_a_token_that_graph_takes(client):
    token = application(client).acquire_token_for_client(SCOPE)
    client.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert client.get("/users").status_code == 200
    claims = json.loads(base64.urlsafe_b64decode(token["access_token"].split(".")[1] + "=="))
    assert (claims["idtyp"], claims["appid"], claims["tid"]) == ("app", CLIENT_ID, client.sim.graph.tenant_id)


def test_msal_gets_a_token_with_a_certificate(client):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = Name([NameAttribute(NameOID.COMMON_NAME, "calsync")]), client.sim.core.clock.now()
    built = CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    credential = {"private_key": pem, "public_certificate": public}
    assert "access_token" in application(client, credential).acquire_token_for_client(SCOPE)


@pytest.mark.parametrize(
    ("change", "error", "number"),
    [
        ({"credential": "wrong"}, "invalid_client", 7000215),
        ({"client_id": "11111111-2222-3333-4444-555555555555"}, "unauthorized_client", 700016),
    ],
)
def test_wrong_credentials_are_refused_in_microsofts_words(client, change, error, number):
    answer = application(client, **change).acquire_token_for_client(SCOPE)
    assert (answer["error"], answer["error_codes"]) == (error, [number])
    assert answer["error_description"].startswith(f"AADSTS{number}: ")


def test_an_expired_secret_and_a_wrong_scope_are_refused(client):
    client.sim.graph.login.apps[CLIENT_ID].secret_expired = True
    assert application(client).acquire_token_for_client(SCOPE)["error_codes"] == [7000222]
    client.sim.graph.login.apps[CLIENT_ID].secret_expired = False
    assert application(client).acquire_token_for_client(["Calendars.Read"])["error"] == "invalid_scope"


def test_an_unknown_tenant_has_no_discovery(client):
    with pytest.raises(ValueError, match="contoso-else"):
        application(client, tenant="contoso-else.example")


def test_without_a_live_token_nothing_answers(client):
    for header in ("", "Bearer nonsense", "Basic abc"):
        answer = requests.get(f"{client.sim.url}/v1.0/users", headers={"Authorization": header}, timeout=5)
        assert code_of(answer) == (401, "InvalidAuthenticationToken")
        assert "WWW-Authenticate" in answer.headers
    client.sim.core.clock.advance(timedelta(hours=2))
    assert code_of(client.get("/users")) == (401, "InvalidAuthenticationToken")


def test_revoked_tokens_are_refused(client):
    client.sim.graph.login.revoke_all()
    assert client.get("/users").status_code == 401


def test_me_needs_a_person(client):
    assert code_of(client.get("/me/events")) == (400, "BadRequest")


def test_users_are_listed_with_what_was_selected(client):
    everybody = client.get("/users").json()["value"]
    assert [one["mail"] for one in everybody] == [ALICE, BOB]
    assert "department" not in everybody[0]
    chosen = client.get("/users?$select=id,department&$filter=department eq 'Legal'&$top=999").json()["value"]
    assert [(set(one), one["department"]) for one in chosen] == [({"id", "department"}, "Legal")]
    assert code_of(client.get("/users?$filter=department ne 'Legal'")) == (400, "Request_UnsupportedQuery")
    advanced = client.get("/users?$filter=department ne 'Legal'&$count=true", ConsistencyLevel="eventual").json()
    assert (advanced["@odata.count"], advanced["value"][0]["mail"]) == (1, ALICE)


def test_users_have_pages(client):
    first = client.get("/users?$top=1").json()
    assert len(first["value"]) == 1
    assert client.get(first["@odata.nextLink"]).json()["value"][0]["mail"] == BOB


def test_a_user_opens_by_address_and_by_object_id(client):
    found = client.get(f"/users/{ALICE.upper()}").json()
    assert client.get(f"/users/{found['id']}").json()["displayName"] == "Alice Ames"
    assert client.get(f"/users/{found['id']}/events").status_code == 200
    assert code_of(client.get("/users/nobody@contoso.example/events")) == (404, "Request_ResourceNotFound")


def test_the_zone_of_a_mailbox_is_a_windows_name(client):
    assert client.get(f"/users/{ALICE}/mailboxSettings").json()["timeZone"] == "W. Europe Standard Time"
    assert client.get(f"/users/{ALICE}/mailboxSettings/timeZone").json()["value"] == "W. Europe Standard Time"


def test_the_default_calendar_is_marked(client):
    shown = client.get(f"/users/{ALICE}/calendar").json()
    assert (shown["isDefaultCalendar"], shown["canEdit"], shown["owner"]["address"]) == (True, True, ALICE)


def test_a_user_without_a_mailbox_is_a_user_still(client):
    client.sim.graph.add_mailbox("carl@contoso.example", "Carl", "UTC", has_calendar=False)
    assert client.get("/users/carl@contoso.example").status_code == 200
    assert code_of(client.get("/users/carl@contoso.example/events")) == (404, "MailboxNotEnabledForRESTAPI")


def test_a_policy_may_keep_an_application_out_of_a_mailbox(client):
    client.sim.graph.mailbox(BOB).denied = True
    assert code_of(client.get(f"/users/{BOB}/calendar")) == (403, "ErrorAccessDenied")
    assert client.get(f"/users/{ALICE}/calendar").status_code == 200


def test_errors_carry_ids_and_the_wrong_method_is_told(client):
    answer = client.call("PUT", f"/users/{ALICE}/events", single(), client_request_id="abc")
    assert answer.status_code == 405
    assert answer.headers["client-request-id"] == "abc"
    assert set(answer.json()["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
