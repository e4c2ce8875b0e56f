"""Disconnecting one's own mailbox: what is said first, what ends at the provider, and how it is undone."""

from __future__ import annotations

import pytest
import requests
from cryptography.fernet import Fernet
from django.test import Client

from accounts.models import Consent, LinkedAccount, TrailEntry
from calendars.models import Calendar
from calsync.simulator.server import Simulator
from tests.accounts.linking import BOTH, link
from tests.factories import AccountFactory, UserFactory

ADA, BO = "ada@meridian.example", "bo@meridian.example"


@pytest.mark.parametrize("platform", BOTH)
def test_disconnecting_says_first_what_will_happen_and_changes_nothing(simulator, browser, platform):
    link(browser, platform, ADA)

    page = browser.get(f"/mailboxes/{platform}/disconnect").content.decode()

    assert "Copies stay where they are" in page
    assert ("tells Google to take them no more" in page) == (platform == "google")
    assert ("until you remove it" in page) == (platform == "outlook")
    assert Consent.objects.filter(state="healthy").exists()


def test_disconnecting_ends_the_consent_at_google_and_drops_the_tokens(simulator, browser):
    link(browser, "google", ADA)
    refresh = Consent.objects.get().refresh_token
    assert refresh in simulator.google.tokens.refresh

    page = browser.post("/mailboxes/google/disconnect", follow=True).content.decode()

    assert "Google takes them no more either" in page
    assert refresh not in simulator.google.tokens.refresh
    assert not Consent.objects.exists()
    account, calendar = LinkedAccount.objects.get(), Calendar.objects.get()
    assert (account.state, account.state_reason) == ("disabled", "Its owner has disconnected it.")
    assert (calendar.is_active, calendar.state) == (False, "disabled")
    assert TrailEntry.objects.filter(action="mailbox.disconnected", facts={"at_the_provider": "revoked"}).exists()


def test_disconnecting_microsoft_drops_the_tokens_and_says_what_is_left_there(simulator, browser):
    link(browser, "outlook", ADA)

    page = browser.post("/mailboxes/outlook/disconnect", follow=True).content.decode()

    assert "https://myapps.microsoft.com" in page
    assert not Consent.objects.exists()
    assert LinkedAccount.objects.get().state == "disabled"


def test_disconnecting_does_not_wait_for_a_provider_that_is_away(simulator, browser, settings):
    link(browser, "google", ADA)
    with Simulator() as gone:
        settings.GOOGLE_LOGIN_URL = gone.url

    page = browser.post("/mailboxes/google/disconnect", follow=True).content.decode()

    assert "Google could not be told: remove the permission yourself" in page
    assert not Consent.objects.exists()


def test_a_consent_that_was_withdrawn_is_disconnected_all_the_same(simulator, browser):
    link(browser, "google", ADA)
    requests.post(f"{simulator.url}/_sim/revoke", json={"address": ADA}, timeout=5)

    browser.post("/mailboxes/google/disconnect")

    assert not Consent.objects.exists()


def test_nobody_disconnects_what_the_organisation_connected(simulator, ada, browser):
    account = AccountFactory(person=ada, platform="google", address=ADA, state="healthy")

    browser.post("/mailboxes/google/disconnect")

    account.refresh_from_db()
    assert account.state == "healthy"


def test_nobody_disconnects_somebody_else_s_mailbox(simulator, browser):
    link(browser, "google", ADA)
    other = Client()
    other.force_login(UserFactory(email=BO))

    for query in ("", "?person=1", f"?account={LinkedAccount.objects.get().pk}"):
        other.post(f"/mailboxes/google/disconnect{query}", {"account": LinkedAccount.objects.get().pk})

    assert Consent.objects.filter(state="healthy").exists()


@pytest.mark.parametrize("platform", BOTH)
def test_linking_again_undoes_a_disconnection(simulator, browser, platform):
    link(browser, platform, ADA)
    browser.post(f"/mailboxes/{platform}/disconnect")
    assert b" again" in browser.get("/").content

    link(browser, platform, ADA)

    account = LinkedAccount.objects.get()
    assert (account.is_active, account.consent.state) == (True, "healthy")
    assert Calendar.objects.get().is_active


@pytest.mark.parametrize("platform", BOTH)
def test_tokens_whose_key_is_lost_are_replaced_or_dropped_all_the_same(simulator, browser, settings, platform):
    link(browser, platform, ADA)
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    assert browser.get("/").status_code == 200

    assert "is linked" in link(browser, platform, ADA)
    assert Consent.objects.get().refresh_token

    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    page = browser.post(f"/mailboxes/{platform}/disconnect", follow=True).content.decode()

    assert "could not be told: remove the permission yourself" in page
    assert not Consent.objects.exists()
