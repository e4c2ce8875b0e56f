"""A rule on its way in Chromium: written, looked at before it is saved, taken back to the form, applied."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Clearance, OrgUnit, User
from calendars.models import Calendar, Event, Link, PolicyChange
from calsync.engine import serial
from calsync.engine.events import Content, Timed
from calsync.engine.events import Event as HubEvent
from syncrules.models import Rule
from syncrules.services import change_rule, create_rule
from syncrules.written import draft_of
from tests.factories import NOW, AccountFactory, UserFactory
from tests.pages.conftest import picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def events(live_server):
    """Three private events and a public one, each with its copy on the other side."""
    unit = OrgUnit.objects.create(name="Sales", path="/Sales")
    person = UserFactory(email="ada@example.org", org_unit=unit)
    calendars = [
        Calendar.objects.create(account=AccountFactory(person=person, platform=platform), is_active=True,
                                classification=level)
        for platform, level in (("outlook", Clearance.PUBLIC), ("google", Clearance.PUBLIC))
    ]  # fmt: skip
    for number, title in enumerate(["Private talk", "Private visit", "Private", "All hands"]):
        start = NOW + timedelta(days=number)
        naive = start.replace(tzinfo=None)
        hub = HubEvent(uid=f"u{number}", content=Content(title=title, when=Timed(naive, naive, "Europe/Berlin")))
        event = Event.objects.create(
            owner=person, starts_at=start, ends_at=start, show_as="busy", content=serial.dump(hub)
        )
        for calendar, role in zip(calendars, ("origin", "twin"), strict=True):
            Link.objects.create(event=event, calendar=calendar, role=role, remote_id=f"r{number}", is_ours=True)


@pytest.fixture
def page(live_server, browser, size):
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "x", name="Root"))
    context = browser.new_context(viewport=size)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return context.new_page()


def test_a_rule_is_looked_at_before_it_is_saved_and_then_applied(live_server, events, page):
    page.goto(f"{live_server.url}/admin/syncrules/rule/add/")
    page.fill("[name=name]", "Private things")
    page.fill("[name=conditions]", "title: private")
    page.fill("[name=effects]", "details: busy")
    page.fill("[name=why]", "the board asked for it")
    picture(page, "rule-form")
    page.get_by_role("button", name="Save", exact=True).click()

    page.get_by_text("Nothing has been saved yet.").wait_for()
    assert page.get_by_text("For 3 of them something changes").is_visible()
    assert page.get_by_text("Private talk").is_visible()
    assert not Rule.objects.exists()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "rule-preview")

    page.get_by_role("button", name="Back to editing").click()
    page.get_by_role("button", name="Save", exact=True).wait_for()
    assert page.input_value("[name=conditions]") == "title: private"
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Apply in batches").click()

    page.get_by_text("3 events are looked at now, in batches.").first.wait_for()
    picture(page, "rule-applied")
    assert (Rule.objects.get().name, PolicyChange.objects.get().total) == ("Private things", 3)


def test_what_somebody_else_saved_meanwhile_is_told_and_nothing_is_lost(live_server, events, page):
    now = timezone.now()
    draft = draft_of({"name": "Private things", "when": {"guests": {"any": {"unit": "/Sales"}}}})
    rule = create_rule(draft=draft, by=None, why="a beginning", now=now)
    page.goto(f"{live_server.url}/admin/syncrules/rule/{rule.pk}/change/")
    page.fill("[name=conditions]", "title: private")
    page.fill("[name=why]", "titles say more")
    other = draft_of({"name": "Private things", "then": {"details": "title"}})
    change_rule(rule=rule, draft=other, by=None, why="in a hurry", now=now)
    page.get_by_role("button", name="Save", exact=True).click()

    page.get_by_text("saved version 2 of this rule").first.wait_for()
    picture(page, "rule-meanwhile")
    assert page.input_value("[name=conditions]") == "title: private"
    page.goto(f"{live_server.url}/admin/syncrules/rule/")
    picture(page, "rules-listed")
    page.goto(f"{live_server.url}/admin/syncrules/rule/{rule.pk}/versions/")
    picture(page, "rule-versions")
    page.fill("[name=number]", "1")
    page.fill("[name=reason]", "no hurry")
    page.get_by_role("button", name="Go ahead").click()
    page.get_by_text("Version 1 is restored.").first.wait_for()


def test_a_file_of_rules_is_looked_at_before_it_is_imported(live_server, events, page):
    page.goto(f"{live_server.url}/admin/syncrules/rule/")
    picture(page, "rules")
    page.goto(f"{live_server.url}/admin/syncrules/rule/import/")
    rules = "form: 1\nrules:\n- {name: Private things, when: {title: private}, then: {details: busy}}\n"
    page.set_input_files("[name=file]", {"name": "r.yaml", "mimeType": "text/yaml", "buffer": rules.encode()})
    page.fill("[name=reason]", "from the pilot")
    picture(page, "rule-file")
    page.get_by_role("button", name="Show what would change").click()

    page.get_by_text("Private things: created").wait_for()
    picture(page, "rule-file-preview")
    page.get_by_role("button", name="Apply in batches").click()
    page.get_by_text("3 events are looked at now, in batches.").first.wait_for()
    assert Rule.objects.get().name == "Private things"
