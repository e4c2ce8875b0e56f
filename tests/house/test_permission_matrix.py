"""Every page, admin and command against every role: what is new and not in the matrix fails here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Clearance, Consent, OrgUnit, User
from accounts.roles import Role
from accounts.services.roles import grant_role
from accounts.services.units import ensure_units
from calendars.models import Calendar, Event, EventEntry, Finding, Link, Operation, Watch
from calendars.selectors import may_see_content
from calsync.engine import serial
from calsync.engine.events import Content, Timed
from calsync.engine.events import Event as HubEvent
from conflicts.models import Case
from notifications.models import Message
from syncrules.services import Target, switch_off
from tests.factories import NOW, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

TITLE = "Quarterly surprise"
CAST = ("it", "unit_admin", "approver", "auditor", "integration", "cem")  # cem may use the console and has no role
CONSOLE = ("it", "unit_admin", "approver", "auditor")  # whom the console lets in at all

ALL, SALES = frozenset(CONSOLE), frozenset(CONSOLE) - {"approver"}
ADMINS: dict[str, frozenset[str]] = {  # model -> who may open its list, and a row of their own unit
    "accounts.user": ALL,
    "accounts.orgunit": ALL,
    "accounts.linkedaccount": SALES,
    "accounts.consent": SALES,
    "accounts.tenantconnection": frozenset({"it", "auditor"}),
    "accounts.secret": frozenset({"it"}),
    "accounts.trailentry": frozenset({"it", "auditor"}),
    "accounts.peoplegroup": frozenset({"it"}),
    "accounts.foundmailbox": frozenset({"it"}),
    "auth.group": frozenset({"it"}),
    "calendars.calendar": ALL,
    "calendars.watch": SALES,
    "calendars.event": ALL,
    "calendars.link": SALES,
    "calendars.operation": SALES,
    "calendars.finding": ALL,
    "calendars.hookcount": frozenset({"it", "auditor"}),
    "calendars.auditrun": frozenset({"it", "auditor"}),
    "calendars.policychange": frozenset({"it"}),
    "conflicts.case": ALL,
    "notifications.message": SALES,
    "syncrules.switch": SALES,
    "syncrules.rule": frozenset({"it"}),
    "syncrules.mention": frozenset({"it"}),
    "syncrules.ruleversion": frozenset({"it"}),
}
CHANGES = {  # model -> who may change a row of their own unit beside IT administrators
    "accounts.user": {"unit_admin"},
    "accounts.linkedaccount": {"unit_admin"},
}
FOR_IT_ALONE = ("account.", "socialaccount.", "django_q.", "guardian.", "mfa.", "axes.")  # pages of libraries
PAGES = {"people-file": {"it"}, "people-export": {"it"}, "health": set(ALL)}  # name -> whom the page answers
PUBLIC = {"home", "hook-graph", "hook-google"}  # the first leads to the sign-in, the others ask for a secret
OWN = {  # act on what is one's own, read no ids, and lead whoever is not signed in to the sign-in
    "mailbox-link": ["google"],
    "mailbox-linked": ["google"],
    "mailbox-disconnect": ["google"],
}
CLOSED = (  # of the sign-in library's pages: by these people could make, merge or rename accounts
    "account_signup",
    "account_email",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "socialaccount_connections",
    "socialaccount_signup",
)
SIGN_IN = {  # concern whoever asks and nobody else
    *CLOSED,
    *(f"account_{page}" for page in ("confirm_email", "confirm_login_code", "email_verification_sent", "inactive")),
    *(f"account_{page}" for page in ("login", "logout", "reauthenticate", "reset_password_done")),
    *(f"account_reset_password_from_key{page}" for page in ("", "_done")),
    *(f"mfa_{page}" for page in ("index", "authenticate", "reauthenticate", "activate_totp", "deactivate_totp")),
    *(f"mfa_{verb}_recovery_codes" for verb in ("download", "generate", "view")),
    *(f"mfa_{verb}_webauthn" for verb in ("add", "edit", "list", "login", "reauthenticate", "remove")),
    *(f"socialaccount_login_{page}" for page in ("cancelled", "error")),
    *(f"social/{page}/" for page in ("connections", "login/cancelled", "login/error", "signup")),
    *(f"{provider}_{step}" for provider in ("microsoft", "google", "openid_connect") for step in ("login", "callback")),
}
COMMANDS = {  # run by whoever has a shell on the machine; those with --as ask the same selectors
    "activate_sync",
    "audit",
    "bench",
    "demo",
    "doctor",
    "explain_event",
    "import_directory",
    "map_org_units",
    "remove_copies",
    "rotate_keys",
    "rules",
    "schedule",
    "simulate",
    "sync",
    "try_rule",
    "worker",
}
OURS = ("accounts", "calendars", "conflicts", "notifications", "syncrules", "calsync_site")


@dataclass
class Company:
    """The cast, and a row of each model for somebody in Sales and for somebody in Legal."""

    people: dict[str, User]
    rows: dict[str, dict[str, object]]  # unit -> label -> row

    def client(self, who: str) -> Client:
        client = Client()
        client.force_login(self.people[who])
        return client


@pytest.fixture
def company():
    units, _ = ensure_units(["/Sales", "/Legal"])
    root = User.objects.create_superuser("it@example.org", "x", org_unit=units["/Legal"])
    people = {"it": root}
    for who in CAST[1:]:
        people[who] = UserFactory(email=f"{who}@example.org", org_unit=units["/Sales"], is_staff=who == "cem")
    for who, role in (
        ("unit_admin", Role.UNIT_ADMINISTRATOR),
        ("approver", Role.APPROVER),
        ("auditor", Role.AUDITOR),
        ("integration", Role.INTEGRATION),
    ):
        grant_role(role=role, person=people[who], unit=units["/Sales"], by=root, reason="matrix", now=NOW)
    return Company(people, {path: rows_in(unit) for path, unit in units.items()})


def rows_in(unit: OrgUnit) -> dict[str, object]:
    """One row of each model that belongs to somebody, for a person of this unit."""
    person = UserFactory(email=f"ada{unit.path.replace('/', '.').lower()}@example.org", org_unit=unit)
    account = AccountFactory(person=person, reached_through="consent")
    consent = Consent.objects.create(account=account, state="healthy", expires_at=NOW, obtained_at=NOW)
    calendar = Calendar.objects.create(account=account)
    start = NOW.replace(tzinfo=None)
    when = Timed(start, start + timedelta(hours=1), "Europe/Berlin")
    hub = HubEvent(uid="u", content=Content(title=TITLE, when=when))
    event = Event.objects.create(
        owner=person, starts_at=NOW, ends_at=NOW + timedelta(hours=1), show_as="busy", content=serial.dump(hub)
    )
    EventEntry.objects.create(event=event, at=NOW, kind="made")
    link = Link.objects.create(event=event, calendar=calendar, role="origin", remote_id="r")
    finding = Finding.objects.create(
        kind="both_edited",
        person=person,
        calendar=calendar,
        event=event,
        text="Both sides were edited.",
        created_at=NOW,
        values={"title": serial.dump_value(TITLE)},
    )
    rows = (
        person,
        unit,
        account,
        consent,
        calendar,
        Watch.objects.create(calendar=calendar, secret="s", state_since=NOW),
        event,
        link,
        Operation.objects.create(link=link, calendar=calendar, kind="update", planned_at=NOW, due_at=NOW),
        finding,
        Case.objects.create(
            finding=finding, kind=finding.kind, person=person, summary="Both sides were edited.", opened_at=NOW
        ),
        Message.objects.create(person=person, topic="case_opened", facts={"summary": "x", "case": 1}, created_at=NOW),
        switch_off(target=Target.one_person(person), reason="matrix", by=None, now=NOW),
    )
    return {row._meta.label_lower: row for row in rows}


def page_of(row, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def is_shown(answer) -> bool:
    return answer.status_code == 200


# --- nothing is left out --------------------------------------------------------------------------------------


def test_every_admin_is_in_the_matrix():
    get_resolver()._populate()  # addresses bring pages along
    labels = {model._meta.label_lower for model in admin.site._registry}
    assert {label for label in labels if not label.startswith(FOR_IT_ALONE)} == ADMINS.keys()


def test_every_address_is_in_the_matrix():
    ours = {name for name in names_in(get_resolver()) if not name.startswith("^")} - SIGN_IN
    assert ours == PUBLIC | PAGES.keys() | OWN.keys()


@pytest.mark.parametrize("name", CLOSED)
def test_pages_that_make_accounts_are_closed(company, name):
    for client in (Client(), company.client("cem"), company.client("it")):
        assert not is_shown(client.get(reverse(name)))


def names_in(resolver: URLResolver) -> list[str]:
    """The names of all addresses outside the console, whose own pages are generated from its registry."""
    found: list[str] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append(entry.name or str(entry.pattern))
        elif entry.namespace != "admin":
            found += names_in(entry)
    return found


def test_every_command_is_in_the_matrix():
    assert {name for name, app in get_commands().items() if app in OURS} == COMMANDS


@pytest.mark.parametrize("who", CAST)
def test_pages_answer_the_roles_of_the_matrix(company, who):
    client = company.client(who)
    assert {name for name in PAGES if is_shown(client.get(reverse(name)))} == {
        name for name, roles in PAGES.items() if who in roles
    }


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_of_one_s_own_do_nothing_for_strangers(company, name, method):
    before = list(Consent.objects.values_list("pk", "state").order_by("pk"))
    answer = getattr(Client(), method)(reverse(name, args=OWN[name]), {"code": "c", "state": "s"})
    assert answer.status_code in (302, 405)
    assert answer.get("Location", "/").partition("?")[0] in ("/", reverse("account_login"))
    assert list(Consent.objects.values_list("pk", "state").order_by("pk")) == before


@pytest.mark.parametrize("who", CAST)
def test_pages_of_one_s_own_touch_nobody_else_s_mailbox(company, who):
    client = company.client(who)
    for rows in company.rows.values():
        consent = rows["accounts.consent"]
        for number in (consent.pk, consent.account_id):
            client.post(reverse("mailbox-disconnect", args=["google"]), {"account": number, "person": number})
    assert Consent.objects.filter(state="healthy").count() == len(company.rows)


# --- lists and rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CAST)
def test_lists_open_for_the_roles_of_the_matrix(company, who):
    client = company.client(who)
    opened = {
        model._meta.label_lower
        for model in admin.site._registry
        if is_shown(client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")))
    }
    libraries = {label for label in opened if label.startswith(FOR_IT_ALONE)}
    assert opened - libraries == {label for label, roles in ADMINS.items() if who in roles}
    assert bool(libraries) == (who == "it")


@pytest.mark.parametrize("who", CAST)
def test_rows_open_in_the_own_unit_and_nowhere_else(company, who):
    client = company.client(who)
    for path, rows in company.rows.items():
        reached = who == "it" or path == "/Sales"
        opened = {label for label, row in rows.items() if is_shown(client.get(page_of(row)))}
        assert opened == {label for label in rows if reached and who in ADMINS[label]}
        histories = {label for label, row in rows.items() if is_shown(client.get(page_of(row, "history")))}
        assert histories == opened


@pytest.mark.parametrize("who", CONSOLE)
def test_lists_name_nobody_of_another_unit(company, who):
    client = company.client(who)
    for label in company.rows["/Sales"]:
        page = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"))
        if is_shown(page):
            assert ("ada.legal" in page.content.decode()) == (who == "it" and "ada.sales" in page.content.decode())


@pytest.mark.parametrize("who", CAST)
def test_rows_are_changed_by_the_roles_of_the_matrix_only(company, who):
    client = company.client(who)
    for path, rows in company.rows.items():
        for label in ("accounts.user", "accounts.orgunit", "accounts.linkedaccount"):
            answer = client.post(page_of(rows[label]), {"name": "x"})
            may_change = who == "it" or (path == "/Sales" and who in CHANGES.get(label, ()))
            assert (
                answer.status_code == 200 or "/accounts/" in answer.get("Location", "").partition("?")[0]
            ) == may_change


# --- actions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CAST)
def test_mailboxes_are_disabled_by_administrators_of_their_unit(company, who):
    client, page = company.client(who), reverse("admin:accounts_linkedaccount_changelist")
    for path, rows in company.rows.items():
        account = rows["accounts.linkedaccount"]
        client.post(page, {"action": "disable", "_selected_action": [account.pk], "reason": "matrix"})
        account.refresh_from_db()
        assert account.is_active != (who == "it" or (who == "unit_admin" and path == "/Sales"))


@pytest.mark.parametrize("who", CAST)
def test_cases_are_decided_in_the_own_unit(company, who):
    client = company.client(who)
    for path, rows in company.rows.items():
        case = rows["conflicts.case"]
        page = reverse("admin:conflicts_case_decide", args=[case.pk, "accept"])
        client.post(page, {"reason": "matrix"})
        case.refresh_from_db()
        decides = who == "it" or (who in ("unit_admin", "approver") and path == "/Sales")
        assert (case.state != "open") == decides


@pytest.mark.parametrize("who", CAST)
def test_sync_is_switched_off_within_reach(company, who):
    client, page = company.client(who), reverse("admin:syncrules_switch_switch_sync_off")
    for target, allowed in (
        ({"scope": "everybody"}, {"it"}),
        ({"scope": "org_unit", "org_unit": "/Legal"}, {"it"}),
        ({"scope": "org_unit", "org_unit": "/Sales"}, {"it", "unit_admin"}),
        ({"scope": "person", "person": "ada.legal@example.org"}, {"it"}),
    ):
        answer = client.post(page, {**target, "reason": "matrix"})
        assert (answer.status_code == 302 and answer["Location"].endswith("/switch/")) == (who in allowed)


def test_a_unit_administrator_cannot_raise_anybody(company):
    client, person = company.client("unit_admin"), company.rows["/Sales"]["accounts.user"]
    form = {
        "name": "New name",
        "org_unit": person.org_unit_id,
        "time_zone": "Europe/Berlin",
        "work_starts_at": "09:00",
        "work_ends_at": "17:00",
        "work_days": "[1]",
        "is_active": "on",
        "clearance": Clearance.RESTRICTED,
        "is_superuser": "on",
        "is_staff": "on",
        "email": "stolen@example.org",
    }
    assert client.post(page_of(person), form).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.email, person.clearance) == ("New name", "ada.sales@example.org", Clearance.INTERNAL)
    assert not person.is_superuser
    assert not person.is_staff
    legal = OrgUnit.objects.get(path="/Legal")
    assert client.post(page_of(person), {**form, "org_unit": legal.pk}).status_code == 200
    assert client.get(reverse("admin:auth_user_password_change", args=[person.pk])).status_code == 403


# --- clearance ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize("level", Clearance)
def test_content_takes_the_right_and_the_clearance(company, who, level):
    viewer = company.people[who]
    for path, rows in company.rows.items():
        Calendar.objects.filter(pk=rows["calendars.calendar"].pk).update(classification=level)
        rightful = who == "it" or (path == "/Sales" and who in ("unit_admin", "approver", "auditor"))
        assert may_see_content(viewer, rows["calendars.event"]) == (rightful and level <= Clearance.INTERNAL)
        page = company.client(who).get(page_of(rows["conflicts.case"])).content.decode()
        assert (TITLE in page) == (rightful and level <= Clearance.INTERNAL)


def test_a_search_hits_no_title(company):
    for label in ("calendars_event", "conflicts_case", "calendars_finding"):
        page = company.client("it").get(reverse(f"admin:{label}_changelist"), {"q": TITLE})
        assert page.context["cl"].result_count == 0
