"""Mailboxes that their owners linked themselves: synced with their own tokens, which are renewed, rotate and end."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import requests
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.consents import KeptTokens, note_end
from accounts.models import Consent, LinkedAccount, TrailEntry, User
from accounts.rotation import rotate, sealed_columns
from calendars import gateway
from calendars.health import check_health
from calendars.models import Calendar, Watch
from calendars.sync.watch import ensure_watches
from calsync.providers.base import AuthenticationFailed, Transient
from calsync.providers.consent import ConsentEnded
from calsync.simulator.graph.oauth import CLIENT_ID
from tests.accounts.linking import BOTH, link, own_consent_only
from tests.sync.conftest import Person

ADA = "ada@meridian.example"


@pytest.fixture
def ada(world, settings) -> Person:
    """Somebody with a mailbox on each platform, of an organisation that granted nothing for everybody."""
    own_consent_only(world.simulator, settings)
    user = User.objects.create_user(email=ADA, name="Ada", org_unit=world.unit, time_zone="Europe/Berlin")
    person = Person(user, ADA, world)
    for platform in BOTH:
        world.open_mailbox(person, platform)
    return person


@pytest.fixture
def browser(ada) -> Client:
    browser = Client()
    browser.force_login(ada.user)
    return browser


@pytest.fixture
def linked(world, ada, browser) -> Person:
    """Both mailboxes are linked and in step."""
    for platform in BOTH:
        link(browser, platform, ADA)
    assert world.settle().idle
    return ada


def account(platform: str) -> LinkedAccount:
    return LinkedAccount.objects.get(platform=platform)


def tokens(platform: str) -> KeptTokens:
    return KeptTokens(account(platform), clock=timezone.now, sleep=lambda seconds: None)


def revoke(world) -> None:
    requests.post(f"{world.simulator.url}/_sim/revoke", json={"address": ADA}, timeout=5)


def titles(person: Person) -> tuple[list[str], list[str]]:
    return sorted(one["subject"] for one in person.outlook), sorted(one["summary"] for one in person.google)


def states() -> dict[str, tuple[str, str]]:
    check_health(now=timezone.now())
    return {one.platform: (one.state, one.state_reason) for one in LinkedAccount.objects.all()}


def test_two_linked_mailboxes_are_kept_in_step_both_ways(world, ada, browser):
    ada.in_outlook(subject="From Outlook")
    ada.in_google(summary="From Google")

    for platform in BOTH:
        link(browser, platform, ADA)
    assert world.settle().idle

    assert titles(ada) == (["From Google", "From Outlook"],) * 2
    for number in range(5):
        ada.in_outlook(subject=f"O{number}")
        ada.in_google(summary=f"G{number}")
    Calendar.objects.all().ring(now=timezone.now())
    assert world.settle().idle
    assert len(titles(ada)[0]) == len(titles(ada)[1]) == 12
    assert {state for state, _ in states().values()} == {"healthy"}
    assert world.audit().match_rate == 100
    assert world.mails == []


def test_the_application_has_no_permission_of_its_own_in_these_tests(world, linked):
    with pytest.raises((AuthenticationFailed, Exception), match=r"access|Access|allow|configured"):
        gateway.adapter_of(None, gateway.Platform.OUTLOOK).calendars(ADA)
    with pytest.raises(AuthenticationFailed, match="configured"):
        gateway.adapter_of(None, gateway.Platform.GOOGLE).calendars(ADA)


@pytest.mark.parametrize("platform", BOTH)
def test_tokens_are_renewed_before_they_expire_and_not_before_that(world, linked, platform):
    first, _ = tokens(platform).token()
    assert tokens(platform).token() == (first, 0)

    world.now.shift(timedelta(minutes=56).total_seconds())
    second, requests_made = tokens(platform).token()

    assert (second != first, requests_made) == (True, 1)
    assert tokens(platform).token() == (second, 0)


def test_the_sync_goes_on_over_days_with_tokens_of_an_hour(world, linked):
    for day in range(3):
        world.now.shift(timedelta(hours=26).total_seconds())
        linked.in_google(summary=f"Day {day}", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
        Calendar.objects.all().ring(now=timezone.now())
        assert world.settle().idle

    assert titles(linked) == (["Day 0", "Day 1", "Day 2"],) * 2


@pytest.mark.parametrize("platform", BOTH)
def test_a_refresh_token_that_rotates_is_kept_though_the_old_one_serves_no_more(world, linked, platform):
    world.simulator.core.switches.google_refresh_tokens_rotate = True
    world.simulator.core.switches.graph_refresh_tokens_serve_once = True
    seen = {Consent.objects.get(account__platform=platform).refresh_token}

    for _ in range(3):
        world.now.shift(timedelta(hours=1).total_seconds())
        tokens(platform).token()
        seen.add(Consent.objects.get(account__platform=platform).refresh_token)

    assert len(seen) == 4
    assert Consent.objects.get(account__platform=platform).rotated_at is not None


@pytest.mark.parametrize("platform", BOTH)
def test_a_token_that_the_provider_refuses_early_is_replaced(world, linked, platform):
    world.simulator.graph.login.consents.access.clear()
    world.simulator.google.tokens.access.clear()
    linked.in_outlook(subject="Later") if platform == "outlook" else linked.in_google(summary="Later")

    Calendar.objects.all().ring(now=timezone.now())

    assert world.settle().idle
    assert titles(linked) == (["Later"], ["Later"])


@pytest.mark.parametrize("platform", BOTH)
def test_a_batch_whose_token_is_refused_early_is_written_all_the_same(world, linked, platform):
    for number in range(4):
        if platform == "outlook":
            linked.in_google(summary=f"Many {number}")
        else:
            linked.in_outlook(subject=f"Many {number}")
    Calendar.objects.exclude(account__platform=platform).ring(now=timezone.now())
    world.turn(Calendar.objects.exclude(account__platform=platform).get())
    world.simulator.graph.login.consents.access.clear()
    world.simulator.google.tokens.access.clear()

    assert world.settle().idle

    assert [len(side) for side in titles(linked)] == [4, 4]


@pytest.mark.parametrize("platform", BOTH)
def test_whoever_waits_takes_what_the_one_who_asked_has_stored(world, linked, platform):
    world.now.shift(timedelta(hours=2).total_seconds())
    Consent.objects.update(renewing_until=timezone.now() + timedelta(minutes=2))  # somebody asks already
    stored: list[str] = []

    def meanwhile(seconds: float) -> None:
        if not stored:
            Consent.objects.update(renewing_until=None)
            stored.append(tokens(platform).token()[0])

    waiting = KeptTokens(account(platform), clock=timezone.now, sleep=meanwhile)

    assert waiting.token() == (stored[0], 0)


@pytest.mark.parametrize("platform", BOTH)
def test_an_end_that_is_heard_late_does_not_end_a_consent_that_was_given_anew(world, linked, browser, platform):
    old = Consent.objects.select_related("account").get(account__platform=platform)
    link(browser, platform, ADA)

    assert not note_end(old, ConsentEnded("The consent has ended."), now=timezone.now())

    assert account(platform).consent.state == "healthy"


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("platform", BOTH)
def test_workers_that_need_a_new_token_at_once_ask_for_it_once(world, linked, platform):
    world.simulator.core.switches.google_refresh_tokens_rotate = True
    world.simulator.core.switches.graph_refresh_tokens_serve_once = True
    world.now.shift(timedelta(hours=2).total_seconds())
    answers: list[tuple[str, int]] = []
    mailbox, start = account(platform), threading.Barrier(4)

    def work() -> None:
        start.wait()
        answers.append(KeptTokens(mailbox, clock=timezone.now).token())
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({token for token, _ in answers}) == 1
    assert sorted(count for _, count in answers) == [0, 0, 0, 1]
    assert account(platform).consent.state == "healthy"


def test_a_worker_that_died_while_it_asked_holds_the_others_up_for_two_minutes_at_most(world, linked):
    world.now.shift(timedelta(hours=2).total_seconds())
    Consent.objects.update(renewing_until=timezone.now() + timedelta(minutes=2))
    with pytest.raises(Transient):
        tokens("google").token()

    world.now.shift(121)

    assert tokens("google").token()[1] == 1


@pytest.mark.parametrize("platform", BOTH)
def test_trouble_at_the_login_service_ends_no_consent(world, linked, settings, platform):
    world.now.shift(timedelta(hours=2).total_seconds())
    right = settings.GOOGLE_LOGIN_URL
    settings.GOOGLE_LOGIN_URL = settings.MICROSOFT_LOGIN_URL = "http://127.0.0.1:9"
    with pytest.raises(Transient):
        tokens(platform).token()

    settings.GOOGLE_LOGIN_URL = settings.MICROSOFT_LOGIN_URL = right

    assert tokens(platform).token()[1] == 1


@pytest.mark.parametrize("platform", BOTH)
def test_a_wrong_secret_of_the_application_ends_no_consent(world, linked, settings, platform):
    world.now.shift(timedelta(hours=2).total_seconds())
    settings.GOOGLE_OAUTH_CLIENT_SECRET = settings.MICROSOFT_CLIENT_SECRET = "wrong"

    with pytest.raises(AuthenticationFailed) as refused:
        tokens(platform).token()

    assert not isinstance(refused.value, ConsentEnded)
    assert account(platform).consent.refresh_token


def test_a_withdrawn_consent_shows_with_its_remedy_and_nothing_is_lost(world, linked, browser):
    linked.in_outlook(subject="Kept")
    Calendar.objects.all().ring(now=timezone.now())
    world.settle()
    revoke(world)
    linked.in_outlook(subject="While it was withdrawn")
    Calendar.objects.all().ring(now=timezone.now())
    for calendar in Calendar.objects.all():
        world.turn(calendar)

    assert {state for state, _ in states().values()} == {"action_required"}
    for one in LinkedAccount.objects.all():
        assert "consent has ended" in one.state_reason
        assert "Link the mailbox again" in one.state_remedy
        assert (one.consent.access_token, one.consent.refresh_token) == ("", "")
    page = browser.get("/").content.decode()
    assert "action required" in page
    assert "Link Google again" in page
    assert "Link Microsoft again" in page
    assert TrailEntry.objects.filter(action="mailbox.consent_ended").count() == 2
    assert titles(linked) == (["Kept", "While it was withdrawn"], ["Kept"])

    for platform in BOTH:
        link(browser, platform, ADA)
    assert world.settle().idle

    assert titles(linked) == (["Kept", "While it was withdrawn"],) * 2
    assert {state for state, _ in states().values()} == {"healthy"}


def test_a_consent_that_ended_shows_though_no_calendar_is_read(world, linked):
    Calendar.objects.update(is_active=False)
    revoke(world)
    world.now.shift(timedelta(hours=2).total_seconds())
    with pytest.raises(ConsentEnded):
        tokens("google").token()

    assert states()["google"] == ("action_required", "Google says that the consent has ended.")


@pytest.mark.parametrize("platform", BOTH)
def test_linking_again_catches_up_with_what_happened_and_doubles_nothing(world, linked, browser, platform):
    for number in range(12):
        linked.in_outlook(subject=f"Stays {number}")
    moving, going = linked.in_google(summary="Is edited")["id"], linked.in_google(summary="Is deleted")["id"]
    Calendar.objects.all().ring(now=timezone.now())
    world.settle()

    browser.post(f"/mailboxes/{platform}/disconnect")
    linked.in_outlook(subject="New in Outlook")
    linked.in_google(summary="New in Google")
    linked.edit_google(moving, summary="Was edited")
    linked.delete_google(going)
    Calendar.objects.all().ring(now=timezone.now())
    world.settle()
    with pytest.raises(ConsentEnded):
        gateway.provider_for(account(platform)).calendars(ADA)

    link(browser, platform, ADA)
    assert world.settle().idle

    wanted = sorted([*(f"Stays {number}" for number in range(12)), "Was edited", "New in Google", "New in Outlook"])
    assert titles(linked) == (wanted, wanted)
    assert world.audit().match_rate == 100
    assert world.mails == []


@pytest.mark.django_db(transaction=True)
def test_channels_are_opened_with_a_person_s_tokens_and_closed_at_disconnecting(
    world, linked, browser, settings, live_server
):
    settings.CALSYNC_PUBLIC_URL = live_server.url
    assert ensure_watches(clock=timezone.now)["made"] == 2
    assert world.simulator.core.notifier.wait_idle(10)
    assert Watch.objects.filter(state="live").count() == 2
    world.simulator.core.ledger.clear()

    for platform in BOTH:
        browser.post(f"/mailboxes/{platform}/disconnect")

    assert not Watch.objects.filter(state="live").exists()
    said = [(call.provider, call.method, call.status) for call in world.simulator.core.ledger.calls]
    assert ("graph", "DELETE", 204) in said
    assert ("google", "POST", 204) in said


def test_a_connection_of_the_mail_domain_takes_over_from_consent(world, linked, settings):
    google = account("google")
    own = gateway.provider_for(google)
    assert gateway.provider_for(google) is own

    google.connection = google.connection or _connection(world)
    google.save()

    assert gateway.provider_for(google) is not own


def test_tokens_are_among_what_new_keys_seal_anew(world, linked):
    assert {"accounts.Consent.access_token", "accounts.Consent.refresh_token"} <= {
        column.name for column in sealed_columns()
    }
    before = Consent.objects.get(account__platform="google").refresh_token

    columns = {column.name: column for column in rotate(now=timezone.now())}

    assert columns["accounts.Consent.refresh_token"].values == 2
    assert Consent.objects.get(account__platform="google").refresh_token == before


def test_the_environment_s_connection_is_not_judged_by_mailboxes_that_consent_opens(world, linked):
    microsoft = _connection(world, platform="outlook", from_environment=True, state="action_required")
    outlook = account("outlook")
    outlook.connection = microsoft
    outlook.save()

    check_health(now=timezone.now())

    microsoft.refresh_from_db()
    assert microsoft.state == "action_required"
    assert account("outlook").state == "healthy"


def _connection(world, *, platform="google", **more):
    key = world.simulator.google.tokens.add_account("other.example").info(world.simulator.url)
    values = {"name": "Other", "tenant": "other.example", "client": CLIENT_ID, **more}
    return gateway.TenantConnection.objects.create(
        platform=platform, credentials=json.dumps({"service_account": key}), **values
    )
