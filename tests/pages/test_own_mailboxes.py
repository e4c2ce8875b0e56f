"""A new employee's way, in Chromium: sign in, link, see the mailboxes in step, link again what ended, disconnect."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Consent, LinkedAccount
from calendars.health import check_health
from calendars.models import Calendar
from calendars.sync.run import serve
from tests.accounts.linking import own_consent_only
from tests.factories import UserFactory
from tests.pages.conftest import breaches, picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]

ADA = "ada@meridian.example"


@pytest.fixture
def company(simulator, settings):
    """The organisation granted nothing for everybody; Ada has a mailbox on each platform, with an event in it."""
    own_consent_only(simulator, settings)
    simulator.google.add_mailbox(ADA, "Ada", "Europe/Berlin")
    UserFactory(email=ADA, name="Ada Lovelace")
    start = (timezone.now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    times = {
        name: {"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}
        for name, at in (("start", start), ("end", start + timedelta(hours=1)))
    }
    simulator.graph.create_event(ADA, {"subject": "From Outlook", **times})
    simulator.google.create_event(ADA, {"summary": "From Google", **times})
    return simulator


def sync() -> None:
    """What the worker does meanwhile."""
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)
    check_health(now=timezone.now())


def looks_right(page, name: str) -> None:
    picture(page, name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert breaches(page) == []


def test_a_new_employee_links_sees_and_disconnects(live_server, company, browser, size):
    scheme = "light" if size["width"] < 1000 else "dark"
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto(live_server.url)
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.get_by_role("button", name="Allow").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Hello, Ada"
    looks_right(page, f"own-none-{scheme}")

    for name in ("Microsoft", "Google"):
        page.get_by_role("button", name=f"Link {name}").click()
        page.get_by_role("button", name="Allow").click()
        assert page.get_by_role("status").inner_text().endswith("CalSync begins to read it now.")
        assert page.url == f"{live_server.url}/"
    looks_right(page, f"own-linked-{scheme}")

    sync()
    page.reload()
    assert page.locator(".state.healthy").count() == 2
    assert page.get_by_text("Linked by you").count() == 2
    titles = [sorted(one["subject"] for one in company.graph.events(ADA))]
    titles.append(sorted(one["summary"] for one in company.google.events(ADA)))
    assert titles == [["From Google", "From Outlook"]] * 2
    looks_right(page, f"own-in-step-{scheme}")

    for name in ("Google", "Microsoft"):
        page.get_by_role("link", name=f"Disconnect {name}").click()
        assert page.get_by_role("heading", level=1).inner_text() == f"Disconnect {name}?"
        looks_right(page, f"own-disconnect-{name.lower()}-{scheme}")
        page.get_by_role("button", name=f"Disconnect {name}").click()
        assert "is disconnected" in page.get_by_role("status").inner_text()
    assert not Consent.objects.exists()
    assert {account.state for account in LinkedAccount.objects.all()} == {"disabled"}
    assert page.get_by_role("button", name="Link Google again").is_visible()
    looks_right(page, f"own-disconnected-{scheme}")


def test_a_consent_that_was_withdrawn_is_given_again_without_script(live_server, company, browser, size):
    page = browser.new_context(viewport=size, java_script_enabled=False).new_page()
    page.goto(live_server.url)
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("button", name="Link Google").click()
    page.get_by_role("button", name="Deny").click()
    assert "You did not allow it" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Link Google").click()
    page.get_by_role("button", name="Allow").click()
    company.google.tokens.revoke(ADA)
    sync()

    page.reload()
    assert page.get_by_text("Google says that the consent has ended.").is_visible()
    assert page.get_by_text("Link the mailbox again").is_visible()
    picture(page, "own-ended")
    page.get_by_role("button", name="Link Google again").click()
    page.get_by_role("button", name="Allow").click()
    sync()

    page.reload()
    assert page.locator(".state.healthy").count() == 1
