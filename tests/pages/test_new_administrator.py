"""The way of a new administrator in Chromium, against the pretend providers."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.pages.conftest import breaches, picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]

PASSWORD = "correct horse battery"
TENANT = "larkfield.example"


def fits(page) -> bool:
    """Nothing runs over the page's side."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_connecting(live_server, simulator, browser, size, settings):
    settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
    app = simulator.graph.login.add_tenant(TENANT, client_id="app-2", secret="s3cret")
    simulator.graph.add_mailbox(f"cem@{TENANT}", "Cem", "Europe/Berlin")
    User.objects.create_superuser("root@example.org", PASSWORD)
    page = browser.new_page(viewport=size)
    page.set_default_timeout(8_000)
    page.goto(f"{live_server.url}/admin/")
    page.locator("summary").click()
    page.fill("[name=login]", "root@example.org")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/")
    page.goto(f"{live_server.url}/admin/accounts/tenantconnection/")
    picture(page, "connections-empty")
    page.get_by_role("link", name="Connect Microsoft 365").click()
    picture(page, "guide-outlook")
    assert fits(page)
    print(breaches(page))
    page.goto(f"{live_server.url}/admin/accounts/tenantconnection/guide/google/")
    picture(page, "guide-google")
    assert fits(page)
    page.goto(f"{live_server.url}/admin/accounts/tenantconnection/add/?platform=outlook")
    picture(page, "connection-add")
    page.fill("[name=name]", "Larkfield")
    page.fill("[name=tenant]", app.tenant_id)
    page.fill("[name=client]", "app-2")
    page.fill("[name=mail_domains]", TENANT)
    page.fill("[name=client_secret]", "wrong")
    page.get_by_role("button", name="Save", exact=True).click()
    page.fill("[name=address]", f"cem@{TENANT}")
    page.get_by_role("button", name="Test now").click()
    picture(page, "connection-test")
    assert page.get_by_text("The client secret is wrong.").is_visible()
    assert fits(page)
    print(breaches(page))
    page.get_by_role("link", name="The connection").click()
    picture(page, "connection-change")
    assert fits(page)
    page.get_by_role("link", name="How to set it up").click()
    picture(page, "guide-own")
    assert fits(page)
