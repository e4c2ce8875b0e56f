"""The health page in Chromium, on a phone and at a desk: readable, within the screen, and its links lead somewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services.units import ensure_units
from calendars.models import Calendar, Event, Link, Operation
from tests.factories import AccountFactory, ConnectionFactory, UserFactory
from tests.pages.conftest import AXE, picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]

REFUSED = {
    "state_reason": "Microsoft refused the token: AADSTS7000222: The provided client secret keys are expired "
    "(trace 0000aaaa-11bb-cccc-dd22-eeeeee333333).",
    "state_remedy": "Check the connection's credentials (secret, certificate, key file) and consent.",
}


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.org", "x")


@pytest.fixture
def company():
    """Two connections, one of which is shut, and a few units."""
    now = timezone.now()
    units, _ = ensure_units(["/Sales/EMEA", "/Sales/Asia and the Pacific", "/Legal", "/Research and development"])
    shut = ConnectionFactory(
        platform="outlook", name="Microsoft 365 Meridian", state="action_required", **REFUSED,
        state_since=now - timedelta(minutes=42), last_success_at=now - timedelta(minutes=45),
    )  # fmt: skip
    well = ConnectionFactory(
        name="Google Workspace meridian.example", state="healthy", expires_on=now.date() + timedelta(days=9),
        last_success_at=now - timedelta(seconds=70),
    )  # fmt: skip
    states = ["healthy"] * 5 + ["importing", "catching_up", "waiting", "disabled", "delayed"]
    for unit in units.values():
        for number, state in enumerate(states):
            ill = number % 2 == 0 and state == "healthy"
            person = UserFactory(org_unit=unit)
            account = AccountFactory(
                person=person, platform="outlook" if ill else "google", connection=shut if ill else well
            )
            more = {"state_reason": "It is due to be read and no worker reads it.",
                    "state_remedy": "See that manage.py worker runs; manage.py doctor tells more."}  # fmt: skip
            calendar = Calendar.objects.create(
                account=account,
                state="action_required" if ill else state,
                is_active=state not in ("waiting", "disabled"),
                state_since=now - timedelta(minutes=number),
                last_success_at=now - timedelta(minutes=45) if ill else None,
                **(REFUSED if ill else more if state == "delayed" else {}),
            )
    for code in ("switched_off", "catching_up", "catching_up"):
        wait(calendar, code, now)


def wait(calendar, code, now):
    """A planned write that waits because of a switch."""
    event = Event.objects.create(owner=calendar.account.person, starts_at=now, ends_at=now, show_as="busy")
    link = Link.objects.create(event=event, calendar=calendar, role="twin")
    due_at = now + timedelta(minutes=25)
    Operation.objects.create(
        link=link, calendar=calendar, kind="create", planned_at=now, due_at=due_at, error_code=code
    )


def opened(browser, live_server, person, size, scheme="light"):
    client = Client()
    client.force_login(person)
    context = browser.new_context(viewport=size, color_scheme=scheme)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/health")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_troubles_and_counts_fit_the_screen_and_lead_on(live_server, browser, company, root, size, scheme):
    page = opened(browser, live_server, root, size, scheme)
    picture(page, f"health-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    told = page.locator("#health").inner_text()
    assert "AADSTS7000222" in told
    assert "1 planned write waits because sync is switched off" in told
    assert "2 planned writes go out in portions, the last at" in told
    assert breaches_of_ours(page) == []

    page.get_by_role("link", name="Microsoft 365 Meridian").first.click()
    page.wait_for_url("**/change/")
    page.go_back()
    page.get_by_role("link", name="5 delayed").first.click()
    page.wait_for_url("**/calendar/?doing=delayed")
    assert page.locator("#result_list tbody tr").count() == 5
    page.go_back()
    page.get_by_role("link", name="/Sales", exact=True).click()
    assert page.get_by_role("heading", name="/Sales/EMEA").is_visible()


def test_an_empty_installation_says_what_comes_first(live_server, browser, root, size):
    page = opened(browser, live_server, root, size)
    picture(page, "health-empty")
    assert page.get_by_role("heading", name="There is no calendar yet").is_visible()
    assert breaches_of_ours(page) == []


def breaches_of_ours(page) -> list[str]:
    """What axe finds in our part of the page; the frame around it is the theme's."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run('#health', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    return [f"{breach['id']}: {breach['nodes'][0]['html'][:160]}" for breach in found["violations"]]
