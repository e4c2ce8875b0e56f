"""The way in, in Chromium: sign-in by the pretend Microsoft, one's own page, out again, with and without script."""

from __future__ import annotations

import pytest

from tests.factories import AccountFactory
from tests.pages.conftest import breaches, picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def in_by_microsoft(page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.get_by_role("button", name="Allow").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_new_employee_signs_in_sees_their_mailboxes_and_leaves(live_server, simulator, browser, size, scheme):
    AccountFactory(person__email="ada@meridian.example", platform="outlook", address="ada@meridian.example")
    page = browser.new_page(viewport=size, color_scheme=scheme)
    troubles: list[str] = []
    page.on("console", lambda line: troubles.append(line.text) if _is_ours(line) else None)
    page.goto(live_server.url)
    picture(page, f"sign-in-{scheme}")
    assert breaches(page) == []

    in_by_microsoft(page, live_server.url)

    assert page.get_by_role("heading", level=1).inner_text() == "Hello, Ada"
    assert page.get_by_text("ada@meridian.example").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"home-{scheme}")
    assert breaches(page) == []

    page.goto(f"{live_server.url}/accounts/2fa/")
    picture(page, f"second-factor-{scheme}")
    assert breaches(page) == []

    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    assert troubles == []


def test_a_stranger_reads_what_to_do(live_server, simulator, browser, size):
    page = browser.new_page(viewport=size)
    refused: list[int] = []
    page.on("response", lambda answer: refused.append(answer.status))

    in_by_microsoft(page, live_server.url)

    assert page.get_by_role("heading", level=1).inner_text() == "We do not know you yet"
    assert 403 in refused
    picture(page, "stranger")
    assert breaches(page) == []


def test_the_way_in_needs_no_script(live_server, simulator, browser, size):
    AccountFactory(person__email="ada@meridian.example", address="ada@meridian.example")
    page = browser.new_context(viewport=size, java_script_enabled=False).new_page()

    in_by_microsoft(page, live_server.url)

    assert page.get_by_role("heading", level=1).inner_text() == "Hello, Ada"


def test_the_keyboard_alone_is_enough(live_server, simulator, browser, size):
    AccountFactory(person__email="ada@meridian.example", address="ada@meridian.example")
    page = browser.new_page(viewport=size)
    page.goto(live_server.url)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(10):
        if page.evaluate("document.activeElement.textContent") == "Continue with Microsoft":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Allow").wait_for(timeout=5_000)


def _is_ours(line) -> bool:
    return line.type == "error" and not line.location["url"].startswith("http://127.0.0.1")  # the provider's page
