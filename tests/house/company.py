"""A small company for the permission matrix: whoever may ask, and rows of each kind for everybody they may ask about.

``own`` are the asker's own rows, ``unit`` those of a colleague in the unit where roles are held, ``above`` those of a
colleague in a unit below it whose calendar is restricted, ``other`` those of somebody in another unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client

from accounts.models import Clearance, Consent, FoundMailbox, PeopleGroup, Secret, User
from accounts.models.trail import TrailEntry
from accounts.roles import Role
from accounts.services.roles import grant_role
from accounts.services.units import ensure_units
from calendars.models import (
    AuditRun,
    Calendar,
    Event,
    EventEntry,
    Finding,
    HookCount,
    Link,
    Operation,
    PolicyChange,
    Watch,
)
from calsync.engine import serial
from calsync.engine.events import Content, Timed
from calsync.engine.events import Event as HubEvent
from conflicts.models import Case
from notifications.models import Message
from syncrules.models import Mention
from syncrules.services import Target, create_rule, switch_off
from syncrules.written import Draft, Whom
from tests.factories import NOW, AccountFactory, ConnectionFactory, UserFactory

TITLE = "Quarterly surprise"
ROLES = {  # who holds which role at /Sales; the overseer for the whole organisation
    "unit_admin": Role.UNIT_ADMINISTRATOR,
    "approver": Role.APPROVER,
    "auditor": Role.AUDITOR,
    "overseer": Role.AUDITOR,
    "integration": Role.INTEGRATION,
}
CAST = ("it", *ROLES, "cem", "employee", "nobody")  # cem may use the console and has no role; nobody is not signed in
PLACES = ("own", "unit", "above", "other")
IN_REACH: dict[str, frozenset[str]] = {
    "it": frozenset(PLACES),
    "overseer": frozenset(PLACES),
    "unit_admin": frozenset({"own", "unit", "above"}),
    "approver": frozenset({"own", "unit", "above"}),
    "auditor": frozenset({"own", "unit", "above"}),
}
Rows = dict[str, Any]  # label of a model -> a row of it


@dataclass
class Company:
    """The cast, and rows by place."""

    people: dict[str, User]
    rows: dict[str, Rows] = field(default_factory=dict)  # unit, above and other
    own: dict[str, Rows] = field(default_factory=dict)  # by whose they are
    house: Rows = field(default_factory=dict)  # rows that belong to nobody
    browser: Client = field(default_factory=Client)  # one for all: each new one would load every middleware anew
    sessions: dict[str, str] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        """The browser as somebody left it after signing in."""
        self.browser.cookies = SimpleCookie(self.sessions.get(who, ""))
        return self.browser

    def sign_in(self) -> None:
        for who, person in self.people.items():
            self.browser.cookies = SimpleCookie()
            self.browser.force_login(person)
            self.sessions[who] = self.browser.cookies.output(header="", attrs=[])

    def at(self, place: str, who: str) -> Rows:
        """The rows at a place, seen from somebody; nobody has rows of their own."""
        return self.own.get(who, {}) if place == "own" else self.rows[place]


def found_company() -> Company:
    units, _ = ensure_units(["/Sales/EMEA", "/Legal"])
    people = {"it": User.objects.create_superuser("it@example.org", "x", org_unit=units["/Legal"])}
    for who in CAST[1:-1]:
        people[who] = UserFactory(email=f"{who}@example.org", org_unit=units["/Sales"], is_staff=who == "cem")
    for who, role in ROLES.items():
        unit = None if who == "overseer" else units["/Sales"]
        grant_role(role=role, person=people[who], unit=unit, by=people["it"], reason="matrix", now=NOW)
    company = Company(people)
    for place, path in (("unit", "/Sales"), ("above", "/Sales/EMEA"), ("other", "/Legal")):
        company.rows[place] = rows_of(UserFactory(email=f"{place}@colleagues.test", org_unit=units[path]))
    restricted = company.rows["above"]["calendars.calendar"].pk
    Calendar.objects.filter(pk=restricted).update(classification=Clearance.RESTRICTED)
    company.own = {who: rows_of(person) for who, person in people.items()}
    company.house = house_rows(UserFactory(email="mailless@colleagues.test", org_unit=units["/Legal"]))
    company.sign_in()
    return company


def rows_of(person: User) -> Rows:
    """One row of each model that belongs to somebody."""
    account = AccountFactory(person=person, reached_through="consent")
    calendar = Calendar.objects.create(account=account, is_active=True, classification=Clearance.INTERNAL)
    start = NOW.replace(tzinfo=None)
    when = Timed(start, start + timedelta(hours=1), "Europe/Berlin")
    hub = HubEvent(uid="u", content=Content(title=TITLE, when=when))
    event = Event.objects.create(
        owner=person, starts_at=NOW, ends_at=NOW + timedelta(hours=1), show_as="busy", content=serial.dump(hub)
    )
    EventEntry.objects.create(event=event, at=NOW, kind="made")
    link = Link.objects.create(event=event, calendar=calendar, role="origin", remote_id=f"remote {person.pk}")
    finding = Finding.objects.create(
        kind="both_edited",
        person=person,
        calendar=calendar,
        event=event,
        text="Both sides were edited.",
        created_at=NOW,
        values={"title": serial.dump_value(TITLE)},
    )
    watch = Watch.objects.create(
        calendar=calendar, subscription_id=f"channel-{person.pk}", secret="s", state="live", state_since=NOW
    )
    return _by_label(
        person,
        person.org_unit,
        account,
        Consent.objects.create(account=account, state="healthy", expires_at=NOW, obtained_at=NOW),
        calendar,
        watch,
        event,
        link,
        Operation.objects.create(link=link, calendar=calendar, kind="update", planned_at=NOW, due_at=NOW),
        finding,
        Case.objects.create(finding=finding, kind=finding.kind, person=person, summary=finding.text, opened_at=NOW),
        Message.objects.create(person=person, topic="case_opened", facts={"summary": "x", "case": 1}, created_at=NOW),
        switch_off(target=Target.one_person(person), reason="matrix", by=None, now=NOW),
    )


def house_rows(candidate: User) -> Rows:
    """One row of each model of the installation's own."""
    connection = ConnectionFactory(credentials="sealed", domains=["x.test"])
    rule = create_rule(draft=Draft("A rule", Whom(), {}, {"details": "busy"}), by=None, why="matrix", now=NOW)
    change = PolicyChange.objects.create(
        state="running", state_since=NOW, reason="matrix", made_at=NOW, rules={}, counts={}, total=0
    )
    secret, _ = Secret.objects.get_or_create(name="matrix", defaults={"value": "x"})
    return _by_label(
        connection,
        rule,
        rule.versions.get(),
        Mention.objects.create(rule=rule, org_unit=candidate.org_unit),
        change,
        secret,
        TrailEntry.objects.order_by("pk").first(),
        PeopleGroup.objects.create(name="Board"),
        Group.objects.create(name="Some"),
        FoundMailbox.objects.create(
            candidate=candidate,
            platform="google",
            connection=connection,
            directory_id="1",
            address="found@x.test",
            reason="new",
            found_at=NOW,
        ),
        HookCount.objects.create(day=NOW.date(), provider="graph", outcome="forged", count=1),
        AuditRun.objects.create(started_at=NOW, finished_at=NOW, scope="everybody", match_rate=100.0),
    )


def _by_label(*rows: Model | None) -> Rows:
    return {row._meta.label_lower: row for row in rows if row is not None}
