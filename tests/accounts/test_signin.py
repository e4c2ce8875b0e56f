"""Sign-in: mapped people get in by an address that their provider vouches for; everybody else gets a polite no."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.signin import SealedFactors
from calsync.simulator.server import Simulator
from calsync_site.checks import connections_are_whole
from tests.accounts.door import BOTH, GOOGLE, MICROSOFT, providers, sign_in, who
from tests.factories import AccountFactory, UserFactory

ADA = "ada@meridian.example"


@pytest.fixture
def simulator(db, settings):
    cache.clear()
    with Simulator() as simulator:
        for name in ("ada", "bo"):
            simulator.graph.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
            simulator.google.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
        settings.SOCIALACCOUNT_PROVIDERS = providers(simulator.url)
        yield simulator


@pytest.fixture
def ada(db) -> User:
    return UserFactory(email=ADA)


@pytest.mark.parametrize("at", BOTH)
def test_a_mapped_person_gets_in(simulator, ada, client, at):
    answer = sign_in(client, ADA, at=at)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert who(client) == str(ada.pk)
    assert b"Hello, Ada" in client.get("/").content


@pytest.mark.parametrize("at", BOTH)
def test_the_second_sign_in_finds_the_same_person_and_keeps_no_profile_and_no_token(simulator, ada, client, at):
    for _ in range(2):
        sign_in(client, ADA, at=at)

    assert [(row.user, row.extra_data) for row in SocialAccount.objects.all()] == [(ada, {})]
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize("at", BOTH)
def test_a_stranger_is_told_what_to_do_and_nothing_is_made(simulator, ada, client, at):
    answer = sign_in(client, "bo@meridian.example", at=at)

    assert answer.status_code == 403
    assert b"Ask them to add you" in answer.content
    assert who(client) == ""
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("at", BOTH)
def test_a_deactivated_person_stays_outside_though_bound_before(simulator, ada, client, at):
    sign_in(client, ADA, at=at)
    client.logout()
    User.objects.update(is_active=False)

    assert sign_in(client, ADA, at=at).status_code == 403
    assert who(client) == ""


def test_a_mailbox_that_it_staff_mapped_names_its_person(simulator, client):
    account = AccountFactory(person__email="ada@old-name.example", address=ADA)

    sign_in(client, ADA, at=GOOGLE)

    assert who(client) == str(account.person_id)


def test_a_mailbox_that_somebody_linked_by_own_consent_opens_no_door(simulator, client):
    AccountFactory(person__email="eve@meridian.example", address=ADA, reached_through="consent")

    assert sign_in(client, ADA, at=GOOGLE).status_code == 403


def test_an_address_that_two_people_share_opens_no_door(simulator, ada, client):
    AccountFactory(person__email="bo@elsewhere.example", address=ADA)

    assert sign_in(client, ADA, at=GOOGLE).status_code == 403


def test_an_address_that_the_provider_has_not_verified_opens_no_door(simulator, ada, client, monkeypatch):
    told = simulator.google.tokens.claims
    monkeypatch.setattr(
        type(simulator.google.tokens), "claims", lambda self, *args: told(*args) | {"email_verified": False}
    )

    assert sign_in(client, ADA, at=GOOGLE).status_code == 403
    assert who(client) == ""


def test_a_guest_of_the_tenant_opens_no_door_whatever_mail_it_shows(simulator, client):
    guest = "ada_partner.example#ext#@meridian.example"
    simulator.graph.add_mailbox(guest, "Guest", "Europe/Berlin")
    UserFactory(email=guest)

    assert sign_in(client, guest).status_code == 403


def test_somebody_who_says_no_at_the_provider_is_where_they_were(simulator, ada, client):
    answer = sign_in(client, ADA, at=GOOGLE, answer="deny")

    assert client.get(answer.headers["Location"]).status_code == 200
    assert who(client) == ""


@pytest.mark.parametrize("at", BOTH)
def test_an_answer_that_this_browser_did_not_ask_for_is_refused(simulator, ada, client, at):
    thief = Client()
    answer = thief.get(at + "callback/", {"code": "stolen", "state": "made-up"})

    assert answer.status_code == 401
    assert b"That did not work" in answer.content
    assert who(thief) == ""


def test_nobody_binds_a_second_identity_to_themselves(simulator, ada, client):
    client.force_login(ada)

    answer = sign_in(client, "bo@meridian.example", at=f"{MICROSOFT}?process=connect")

    assert answer.status_code == 403
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "page",
    [
        "account_signup",
        "account_email",
        "account_reset_password",
        "account_set_password",
        "account_change_password",
        "socialaccount_signup",
        "socialaccount_connections",
    ],
)
def test_pages_that_make_or_merge_accounts_are_closed(ada, client, page):
    client.force_login(ada)

    assert client.get(reverse(page)).status_code == 404
    assert client.post(reverse(page), {"email": "me@elsewhere.example"}).status_code == 404


def with_password(client: Client, password: str, **more):
    return client.post(reverse("account_login"), {"login": ADA, "password": password, **more})


def test_the_first_administrator_gets_in_by_password_and_into_the_console(db, client):
    cache.clear()
    admin = User.objects.create_superuser(ADA, "correct horse battery")
    door = client.get(reverse("admin:index"), follow=True)
    assert door.request["PATH_INFO"] == reverse("account_login")

    answer = with_password(client, "correct horse battery", next=reverse("admin:index"))

    assert answer.headers["Location"] == reverse("admin:index")
    assert who(client) == str(admin.pk)
    assert client.get(reverse("admin:index")).status_code == 200


def test_an_employee_does_not_get_into_the_console(ada, client):
    client.force_login(ada)

    assert client.get(reverse("admin:login")).status_code == 403


def test_guessing_is_slowed_down_though_the_right_password_comes_in_the_end(db, client):
    cache.clear()
    User.objects.create_superuser(ADA, "correct horse battery")
    for number in range(5):
        with_password(client, f"guess {number}")

    answer = with_password(client, "correct horse battery")

    assert answer.status_code in (200, 429)
    assert who(client) == ""
    assert b"Too many" in answer.content


def test_a_session_from_before_the_sign_in_is_worth_nothing_after_it(db, client):
    cache.clear()
    User.objects.create_superuser(ADA, "correct horse battery")
    client.get(reverse("account_login"))
    session = client.session
    session["left"] = "by a thief"
    session.save()
    client.cookies["session"] = session.session_key

    with_password(client, "correct horse battery")

    assert client.cookies["session"].value != session.session_key
    assert who(client)


def test_the_console_asks_staff_for_a_second_factor_where_the_installation_wants_it(db, client, settings):
    settings.CALSYNC_STAFF_SECOND_FACTOR = True
    admin = User.objects.create_superuser(ADA, "x")
    client.force_login(admin)
    assert client.get(reverse("admin:index")).headers["Location"] == reverse("mfa_index")

    Authenticator.objects.create(user=admin, type="totp", data={"secret": SealedFactors().encrypt("ABCDEF")})

    assert client.get(reverse("admin:index")).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(db, client, settings):
    settings.CALSYNC_STAFF_SECOND_FACTOR = True
    admin = User.objects.create_superuser(ADA, "x")
    Authenticator.objects.create(user=admin, type="recovery_codes", data={})
    client.force_login(admin)

    assert client.get(reverse("admin:index")).status_code == 302


def test_the_secret_of_an_authenticator_app_is_sealed_in_the_database(db, client):
    cache.clear()
    User.objects.create_superuser(ADA, "correct horse battery")
    with_password(client, "correct horse battery")
    assert client.get(reverse("mfa_activate_totp")).headers["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": "correct horse battery"})
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200, page.headers
    secret = page.context["form"].secret
    code = _code_of(secret)

    answer = client.post(reverse("mfa_activate_totp"), {"code": code})

    assert answer.status_code == 302, answer.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        assert secret not in str(cursor.fetchall())


def _code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers"])
def test_a_tenant_of_everybody_is_a_configuration_error(settings, tenant):
    settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID, settings.MICROSOFT_CLIENT_SECRET = tenant, "x", "y"

    assert [problem.id for problem in connections_are_whole(None)] == ["calsync.E007"]
