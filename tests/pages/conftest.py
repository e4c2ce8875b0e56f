"""Our pages in a real browser: a served site, both pretend providers, phone and desk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import sync_playwright

from calsync.simulator.server import Simulator
from tests.accounts.door import providers

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]  # fmt: skip
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
AXE = (Path(__file__).parent / "axe.min.js").read_text()


@pytest.fixture
def browser(chromium_path, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright runs a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium_path), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(params=list(SIZES))
def size(request):
    return SIZES[request.param]


@pytest.fixture
def simulator(live_server, settings):
    cache.clear()
    with Simulator() as simulator:
        simulator.graph.add_mailbox("ada@meridian.example", "Ada", "Europe/Berlin")
        settings.SOCIALACCOUNT_PROVIDERS = providers(simulator.url)
        policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        forms = {"form-action": ["'self'", simulator.url]}
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy | forms}
        yield simulator


def breaches(page) -> list[str]:
    """What axe finds against WCAG 2.2 AA, each with the first place."""
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )["violations"]
    return [f"{breach['id']}: {breach['nodes'][0]['html'][:120]}" for breach in found]


def picture(page, name: str) -> None:
    """Keep a picture where CALSYNC_TEST_PICTURES names a folder, for somebody to look at."""
    if folder := os.environ.get("CALSYNC_TEST_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}-{page.viewport_size['width']}.png"), full_page=True)
