"""The way of a new administrator in Chromium, against the pretend providers: from an empty installation to calendars
that are kept in step, and a rule that is tried, seen first, applied and undone.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from calendars import policy_change
from calendars.models import Calendar
from calendars.sync.run import serve
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from syncrules.models import Rule
from tests.pages.conftest import picture

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.one_database]

ROOT, PASSWORD = "root@example.org", "correct horse battery"
ADA = "ada@meridian.example"
PEOPLE = f"""\
email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox
{ADA},Ada,/Sales,Europe/Berlin,,,{ADA},{ADA}
"""


class Way:
    """A browser, and what its person does; each page is looked at on the way."""

    def __init__(self, page, site: str, simulator) -> None:
        self.page, self.site, self.simulator = page, site, simulator
        page.set_default_timeout(10_000)

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def see(self, name: str) -> None:
        """Nothing runs over the page's side; a picture is kept."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        picture(self.page, f"administrator-{name}")

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name).first.click()

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.fill(f"[name={name}]", text)

    def read(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def sign_in(self) -> None:
        self.go("/admin/")
        self.page.locator("summary").click()
        self.fill(login=ROOT, password=PASSWORD)
        self.press("Sign in")

    def to_do(self) -> list[str]:
        """What the start page says is left."""
        self.go("/admin/")
        lines = self.page.locator("section:has(h1:text('First steps')) li").all()
        return [line.locator("p").first.inner_text() for line in lines if "TO DO" in line.inner_text().upper()]

    def connect(self, name: str, *, platform: str, **fields: str) -> None:
        """By the guide to the form, and on to the test."""
        self.go("/admin/")
        self.follow(f"Connect {name}")
        self.see(f"guide-{platform}")
        self.follow("Enter the connection")
        self.fill(name=f"Our {name}", mail_domains="meridian.example", **fields)
        self.see(f"connection-{platform}")
        self.press("Save")
        self.fill(address=ADA)
        self.press("Test now")
        self.read(f"lets us read and write {ADA}")
        self.see(f"tested-{platform}")
        assert self.page.get_by_text("does not work").count() == 0
        self.follow("The connection")
        self.see(f"connected-{platform}")

    def look_into_the_directory(self) -> None:
        """Only to see what it would bring."""
        self.go("/admin/accounts/tenantconnection/")
        self.follow("Our Google Workspace")
        self.follow("Import people")
        self.press("Show what would change")
        self.read(f"{ADA}: created")
        self.see("directory")

    def bring_people_in(self) -> None:
        """From a file."""
        self.go("/admin/")
        self.follow("Bring people in")
        people = {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
        self.page.set_input_files("[name=file]", people)
        self.press("Show what would change")
        self.read("1 created")
        self.see("people-file")
        self.press("Apply the file")

    def switch_sync_on(self) -> None:
        """For everybody, after a look at what it means."""
        self.go("/admin/")
        self.follow("Switch sync on")
        self.press("Show what it means")
        self.read("2 calendars of 1 person")
        self.see("switch-on")
        self.press("Switch sync on")
        self.read("2 calendars are switched on")
        self.see("calendars")

    def write_a_rule(self) -> None:
        """What is private shows as busy time: what it changes is seen before it is saved, then it is applied."""
        self.go("/admin/")
        self.follow("Write a rule")
        self.go("/admin/syncrules/rule/add/")
        self.fill(name="Private things", conditions="title: private", effects="details: busy", why="the board asks")
        self.see("rule")
        self.press("Save")
        self.read("Nothing has been saved yet.")
        self.read("For 1 of them something changes")
        self.see("rule-preview")
        assert not Rule.objects.exists()
        self.press("Apply in batches")
        self.read("looked at now, in batches")
        self.see("rule-applied")

    def try_it_on(self, event: dict) -> None:
        """On an event as Graph tells it."""
        self.go("/admin/syncrules/rule/")
        if not self.page.get_by_role("link", name="Try it").is_visible():  # on a phone it is in a menu
            self.page.get_by_text("more_horiz").click()
        self.follow("Try it")
        self.fill(person=ADA, event=json.dumps(event))
        self.press("Go ahead")
        self.read("Private things decides")
        self.see("tried")

    def undo(self) -> None:
        """The rule and what it did."""
        self.go("/admin/calendars/policychange/")
        self.page.locator("#result_list a[href*='/policychange/']").first.click()
        self.follow("Undo")
        self.fill(reason="it was a mistake")
        self.press("Undo")
        self.see("rule-undone")

    def titles(self) -> list[str]:
        """What stands in Ada's Google calendar."""
        events = self.simulator.google.events(ADA)
        return sorted(event["summary"] for event in events if event["status"] != "cancelled")


def work() -> None:
    """What the workers do meanwhile."""
    policy_change.carry_on(now=timezone.now())
    assert serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True).idle


def meet(simulator, title: str, *, days: int) -> dict:
    """An hour in Ada's Outlook calendar, some days ahead."""
    day = (timezone.now() + timedelta(days=days)).date().isoformat()
    times = {side: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "Europe/Berlin"} for side, hour in
             (("start", "09"), ("end", "10"))}  # fmt: skip
    return simulator.graph.create_event(ADA, {"subject": title, **times})


@pytest.fixture
def way(live_server, simulator, browser, size, settings):
    settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
    simulator.google.add_mailbox(ADA, "Ada", "Europe/Berlin", admin=True)
    User.objects.create_superuser(ROOT, PASSWORD)
    way = Way(browser.new_page(viewport=size), live_server.url, simulator)
    way.sign_in()
    return way


def test_from_an_empty_installation_to_a_rule_that_was_undone(way, simulator):
    talk = meet(simulator, "Private talk", days=3)
    meet(simulator, "All hands", days=4)
    assert way.to_do()[:3] == ["Connect Microsoft 365", "Connect Google Workspace", "Bring people in"]
    way.see("first-steps")

    way.connect("Microsoft 365", platform="outlook", tenant=TENANT_ID, client=CLIENT_ID, client_secret=CLIENT_SECRET)
    key = json.dumps(service_account_info(simulator.url))
    way.connect("Google Workspace", platform="google", tenant="meridian.example", key_file=key, directory_admin=ADA)
    assert way.to_do() == ["Bring people in", "Start a worker", "Switch sync on"]

    way.look_into_the_directory()
    way.bring_people_in()
    assert way.to_do() == ["Start a worker", "Switch sync on"]

    way.switch_sync_on()
    work()
    assert way.titles() == ["All hands", "Private talk"]
    assert way.to_do() == ["Start a worker"]

    way.write_a_rule()
    work()
    assert way.titles() == ["All hands", "Busy"]
    way.try_it_on(talk)

    way.undo()
    work()
    assert way.titles() == ["All hands", "Private talk"]
    assert not [mail for mail in simulator.core.outbox if not mail.by_person]
