"""Linking one's own mailbox by consent: what is stored, what is refused, and whose mailbox it may be."""

from __future__ import annotations

import logging
from datetime import timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.mapping.writing import people_as_csv
from accounts.models import Consent, LinkedAccount, TrailEntry, User
from accounts.selectors import person_of_address
from calendars.models import Calendar
from calsync.providers.google.consent import WANTED as GOOGLE_SCOPES
from calsync.providers.graph.consent import WANTED as GRAPH_SCOPES
from calsync.simulator.server import Simulator
from tests.accounts.linking import (
    BOTH,
    answered,
    asked,
    granted_to_the_organisation,
    link,
)
from tests.factories import AccountFactory, ConnectionFactory, UserFactory

ADA, BO = "ada@meridian.example", "bo@meridian.example"
SCOPES = {"outlook": GRAPH_SCOPES, "google": GOOGLE_SCOPES}
NOT_ASKED = "was not asked for in this browser"


def stored() -> tuple[int, int, int]:
    return Consent.objects.count(), LinkedAccount.objects.count(), Calendar.objects.count()


NOTHING = (0, 0, 0)


@pytest.mark.parametrize("platform", BOTH)
def test_a_person_links_their_mailbox_and_its_calendar_is_to_be_read(simulator, ada, browser, platform):
    page = link(browser, platform, ADA)

    account = LinkedAccount.objects.get()
    assert (account.person, account.platform, account.address) == (ada, platform, ADA)
    assert account.reached_through == "consent"
    assert {scope.lower() for scope in SCOPES[platform]} <= set(account.consent.scopes)
    assert account.consent.state == "healthy"
    calendar = Calendar.objects.get()
    assert (calendar.is_primary, calendar.is_active, calendar.wanted) == (True, True, 1)
    assert "is linked" in page
    assert f"Disconnect {'Google' if platform == 'google' else 'Microsoft'}" in page


@pytest.mark.parametrize("platform", BOTH)
def test_the_trail_says_who_linked_what_and_holds_no_token(simulator, ada, browser, platform):
    link(browser, platform, ADA)

    [line] = TrailEntry.objects.filter(action="mailbox.linked")
    consent = Consent.objects.get()
    assert (line.actor, line.origin, line.target_name) == (ada, "web", str(consent.account))
    assert consent.refresh_token not in str(line.facts)


@pytest.mark.parametrize("platform", BOTH)
def test_tokens_are_sealed_in_the_database_and_in_no_log(simulator, browser, platform, caplog):
    caplog.set_level(logging.DEBUG)
    back = answered(asked(browser, platform), ADA)
    browser.get(back)

    consent = Consent.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM accounts_consent")
        raw = str(cursor.fetchall())
    code, state = (parse_qs(urlsplit(back).query)[name][0] for name in ("code", "state"))
    assert consent.access_token
    assert consent.refresh_token
    for secret in (consent.access_token, consent.refresh_token):
        assert secret not in raw
    ours = "\n".join(line.getMessage() for line in caplog.records)
    assert "mailbox.linked" in ours
    assert [secret for secret in (consent.access_token, consent.refresh_token, code, state) if secret in ours] == []


def test_the_way_back_keeps_no_code_in_the_address_nor_in_the_session(simulator, browser):
    back = answered(asked(browser, "google"), ADA)

    answer = browser.get(back)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert [name for name in dict(browser.session.items()) if "linking" in name] == []


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize("state", ["", "made-up"])
def test_an_answer_with_a_forged_or_missing_state_links_nothing(simulator, browser, platform, state):
    back = urlsplit(answered(asked(browser, platform), ADA))
    code = parse_qs(back.query)["code"][0]
    query = {"code": code} | ({"state": state} if state else {})

    page = browser.get(back.path, query, follow=True).content.decode()

    assert NOT_ASKED in page
    assert stored() == NOTHING


@pytest.mark.parametrize("platform", BOTH)
def test_an_answer_that_another_browser_asked_for_links_nothing(simulator, browser, platform):
    bo = Client()
    bo.force_login(UserFactory(email=BO))
    back = answered(asked(bo, platform), BO)

    assert NOT_ASKED in browser.get(back, follow=True).content.decode()

    asked(browser, platform)  # a consent of their own under way makes no difference
    assert NOT_ASKED in browser.get(back, follow=True).content.decode()
    assert stored() == NOTHING


def test_an_answer_of_one_provider_is_not_taken_for_the_other_s(simulator, browser):
    back = answered(asked(browser, "google"), ADA)
    asked(browser, "outlook")

    page = browser.get(back.replace("/google/", "/outlook/"), follow=True).content.decode()

    assert NOT_ASKED in page
    assert stored() == NOTHING


def test_a_consent_that_somebody_else_began_in_this_browser_is_not_the_next_one_s(simulator, browser):
    consent = asked(browser, "google")
    session = browser.session
    session["linking-google"]["person"] = UserFactory(email=BO).pk
    session.save()

    assert NOT_ASKED in browser.get(answered(consent, ADA), follow=True).content.decode()
    assert stored() == NOTHING


@pytest.mark.parametrize("platform", BOTH)
def test_a_code_that_is_played_again_links_nothing_more(simulator, browser, platform):
    back = answered(asked(browser, platform), ADA)
    browser.get(back)
    before = Consent.objects.values_list("generation", "obtained_at").get()

    page = browser.get(back, follow=True).content.decode()

    assert NOT_ASKED in page
    assert Consent.objects.values_list("generation", "obtained_at").get() == before


def test_a_page_of_consent_that_was_open_for_too_long_links_nothing(simulator, browser):
    back = answered(asked(browser, "google"), ADA)

    with time_machine.travel(simulator.core.clock.now() + timedelta(minutes=16)):
        page = browser.get(back, follow=True).content.decode()

    assert "open for too long" in page
    assert stored() == NOTHING


@pytest.mark.parametrize("platform", BOTH)
def test_a_code_does_not_serve_without_its_proof_key(simulator, browser, platform):
    consent = asked(browser, platform)
    session = browser.session
    session[f"linking-{platform}"]["pending"]["code_verifier"] = "x" * 43
    session.save()

    page = browser.get(answered(consent, ADA), follow=True).content.decode()

    assert "does not accept that permission" in page
    assert stored() == NOTHING


@pytest.mark.parametrize("platform", BOTH)
def test_somebody_who_says_no_reads_so_and_nothing_is_stored(simulator, browser, platform):
    assert "You did not allow it" in link(browser, platform, ADA, answer="deny")
    assert stored() == NOTHING


@pytest.mark.parametrize(("platform", "scope"), [(name, next(iter(SCOPES[name]))) for name in BOTH])
def test_a_permission_that_is_left_out_is_named_and_nothing_is_stored(simulator, browser, platform, scope):
    simulator.core.switches.consent_withholds = scope

    page = link(browser, platform, ADA)

    assert SCOPES[platform][scope] in page
    assert stored() == NOTHING


@pytest.mark.parametrize("platform", BOTH)
def test_somebody_else_s_mailbox_is_politely_refused(simulator, browser, platform):
    UserFactory(email=BO)

    page = link(browser, platform, BO)

    assert f"{BO} is not known to be yours" in page
    assert "ask your IT team" in page
    assert stored() == NOTHING


def test_a_mailbox_that_it_staff_mapped_to_somebody_else_is_refused_though_the_address_fits(simulator, browser):
    AccountFactory(person__email="ada.other@meridian.example", platform="google", address=ADA)

    assert "is not known to be yours" in link(browser, "google", ADA)
    assert not Consent.objects.exists()


def test_a_mailbox_under_another_address_is_taken_when_it_staff_mapped_it(simulator, ada, browser):
    account = AccountFactory(person=ada, platform="google", address=BO)

    assert "is linked" in link(browser, "google", BO)

    account.refresh_from_db()
    assert (account.reached_through, account.consent.state) == ("consent", "healthy")
    assert LinkedAccount.objects.count() == 1
    assert person_of_address(BO) == ada  # what IT staff vouch for still opens the door

    browser.post("/mailboxes/google/disconnect")

    account.refresh_from_db()
    assert (account.reached_through, account.state) == ("tenant", "disabled")


def test_a_mailbox_that_nobody_mapped_opens_no_door_until_it_staff_map_it(simulator, ada, browser, tmp_path):
    link(browser, "google", ADA)
    User.objects.update(email="ada@renamed.example")
    assert person_of_address(ADA) is None

    file = tmp_path / "people.csv"
    columns = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox"
    file.write_text(f"{columns}\nada@renamed.example,Ada,/Sales,Europe/Berlin,,,,{ADA}\n")
    call_command("map_org_units", str(file), stdout=StringIO())

    assert person_of_address(ADA) == ada
    assert LinkedAccount.objects.get().consent.state == "healthy"
    assert ADA in people_as_csv()


def test_a_second_mailbox_on_a_platform_is_refused_while_the_first_takes_part(simulator, ada, browser):
    AccountFactory(person=ada, platform="google", address="ada@old.example")

    assert "You have Google ada@old.example already" in link(browser, "google", ADA)
    assert not Consent.objects.exists()


def test_what_it_staff_took_out_of_the_sync_stays_out(simulator, ada, browser):
    AccountFactory(person=ada, platform="google", address=ADA, state="disabled", state_reason="Under investigation.")

    assert "Under investigation." in link(browser, "google", ADA)
    assert not Consent.objects.exists()


def test_nothing_is_linked_where_the_organisation_s_own_connection_gets_in(simulator, ada, browser):
    granted_to_the_organisation(simulator, yes=True)

    page = browser.post("/mailboxes/outlook/link", follow=True)

    assert page.redirect_chain == [("/", 302)]
    assert b"Your organisation itself reaches ada@meridian.example" in page.content
    assert stored() == NOTHING


def test_a_mailbox_that_a_connection_of_its_domain_reaches_is_not_offered_for_linking(simulator, ada, browser):
    ConnectionFactory(platform="google", domains=["meridian.example"])
    AccountFactory(person=ada, platform="google", address=ADA, state="action_required")

    assert b"Link Google" not in browser.get("/").content


def test_linking_is_not_offered_where_it_is_not_configured(simulator, ada, browser, settings):
    settings.GOOGLE_OAUTH_CLIENT_ID = ""

    assert b"Link Google" not in browser.get("/").content
    assert b"is not configured here" in browser.post("/mailboxes/google/link", follow=True).content


def test_a_provider_that_does_not_answer_is_no_fault_of_the_person(simulator, browser, settings):
    with Simulator() as gone:
        settings.GOOGLE_LOGIN_URL = gone.url

    page = browser.post("/mailboxes/google/link", follow=True).content.decode()

    assert "Google does not answer at the moment" in page


@pytest.mark.parametrize("place", ["elsewhere", "Outlook", "graph"])
def test_there_are_two_platforms_and_no_others(browser, place):
    assert browser.post(f"/mailboxes/{place}/link").status_code == 404
    assert browser.get(f"/mailboxes/{place}/linked").status_code == 404


def test_a_stranger_on_the_way_back_is_led_to_the_sign_in_without_the_code(simulator):
    answer = Client().get("/mailboxes/google/linked", {"code": "c", "state": "s"}, follow=True)

    assert [where for where, _ in answer.redirect_chain] == ["/", "/accounts/login/?next=/"]


def test_somebody_whose_session_has_ended_signs_in_and_is_on_their_page_again(simulator):
    answer = Client().post("/mailboxes/google/link", follow=True)

    assert [where for where, _ in answer.redirect_chain] == ["/", "/accounts/login/?next=/"]


@pytest.mark.parametrize("page", ["link", "disconnect"])
def test_a_form_of_another_site_is_refused(ada, page):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    assert browser.post(f"/mailboxes/google/{page}").status_code == 403


def test_a_link_in_a_mail_begins_nothing(browser):
    assert browser.get("/mailboxes/google/link").status_code == 405


@pytest.mark.parametrize("page", ["changelist", "change"])
def test_the_console_shows_a_consent_and_none_of_its_tokens(simulator, browser, admin_client, page):
    link(browser, "google", ADA)
    consent = Consent.objects.get()

    told = admin_client.get(reverse(f"admin:accounts_consent_{page}", args=[consent.pk] if page == "change" else []))

    assert ADA in told.content.decode()
    assert consent.refresh_token not in told.content.decode()
    assert consent.access_token not in told.content.decode()
    assert admin_client.post(reverse("admin:accounts_consent_change", args=[consent.pk])).status_code == 403
    assert admin_client.post(reverse("admin:accounts_consent_delete", args=[consent.pk])).status_code == 403
