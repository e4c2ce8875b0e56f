"""Double bookings in the console, on a phone and at a desk: what collides, the case, and what counts."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services.units import ensure_units
from calendars import rows
from calendars.models import Event
from calsync.engine.events import Content, Frequency, Recurrence, Rule, Timed
from calsync.engine.events import Event as HubEvent
from conflicts.detection import catch_up
from conflicts.models import DoubleBooking, OverlapPolicy
from conflicts.services import open_cases
from tests.factories import UserFactory
from tests.pages.conftest import picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def units():
    return ensure_units(["/Sales/EMEA", "/Legal"])[0]


@pytest.fixture
def colliding(units):
    """Three people: two appointments, a series against a series, and three meetings at once."""
    now = timezone.now()
    tomorrow = (now + timedelta(days=1)).astimezone(UTC).replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
    people = [UserFactory(org_unit=unit, time_zone="Europe/Berlin") for unit in units.values()]
    weekly = Recurrence((Rule(Frequency.WEEKLY, count=6),))
    for person, recurrence, starts in zip(people, (None, weekly, None), ((0, 30), (0, 15), (0, 20, 40)), strict=True):
        for minutes in starts:
            start = tomorrow + timedelta(minutes=minutes)
            event = Event(owner=person, busy_due_at=now)
            span = Timed(start, start + timedelta(minutes=60), "UTC")
            rows.fill_event(event, HubEvent(Content(span, title="Salary of Kim"), recurrence), changed_at=None)
            event.save()
    catch_up(now=now)
    open_cases(now=now)
    return people


def opened(browser, live_server, size, path):
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    context = browser.new_context(viewport=size)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + path)
    return page


def test_what_collides_is_listed_and_leads_to_its_case(live_server, browser, colliding, size):
    page = opened(browser, live_server, size, "/admin/conflicts/doublebooking/")
    picture(page, "double-bookings")
    assert page.locator("#result_list tbody tr").count() == DoubleBooking.objects.count() == 5
    assert page.get_by_text("and 5 more times").count() == 1
    page.get_by_text("and 5 more times").click()
    picture(page, "double-booking")
    assert page.get_by_text("Salary").count() == 0
    page.goto(live_server.url + "/admin/conflicts/case/")
    page.get_by_text("Two events overlap").first.click()
    picture(page, "double-booking-case")
    page.get_by_role("link", name="Keep both").click()
    page.get_by_label("Reason").fill("They can be joined.")
    picture(page, "double-booking-keep")
    page.locator("form:has([name=reason]) [type=submit]").first.click()
    page.wait_for_url("**/change/")
    assert page.get_by_text("Both stay as they are").count() >= 1


def test_what_counts_is_said_by_a_form(live_server, browser, colliding, units, size):
    page = opened(browser, live_server, size, "/admin/conflicts/overlappolicy/add/")
    page.get_by_label("Minutes wanted between meetings").fill("15")
    page.select_option("[name=unit]", str(units["/Sales/EMEA"].pk))
    picture(page, "overlap-policy")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/overlappolicy/")
    picture(page, "overlap-policies")
    assert OverlapPolicy.objects.get().gap_minutes == 15
