"""The audit trail: every change has a line that says who, what, when, from where and why, and no content."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LinkedAccount, OrgUnit, PeopleGroup, TrailEntry, User
from accounts.services.mailboxes import disable_accounts, enable_accounts
from accounts.trail import ACTIONS, Acting, Origin, acting, record, sentence
from calendars import services
from calendars.models import Calendar
from calsync_site.actors import actor_of_process
from syncrules.services import Target, switch_off, switch_on
from tests.factories import AccountFactory, UserFactory

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def lines() -> list[tuple[str, str, str]]:
    return [(entry.actor_name, sentence(entry), entry.reason) for entry in TrailEntry.objects.order_by("pk")]


def test_every_action_that_is_recorded_has_its_sentence_and_every_sentence_its_action(repository):
    apps = ("accounts", "calendars", "calsync_site", "conflicts", "notifications", "syncrules")
    sources = [path.read_text() for app in apps for path in (repository / app).rglob("*.py")]
    code = "\n".join(source for source in sources if "ACTIONS: dict" not in source)
    called = set(re.findall(r'record\(\s*"([a-z_.]+)"', code))
    assert called <= set(ACTIONS)
    assert {action for action in ACTIONS if f'"{action}"' not in code} == set()


@pytest.mark.django_db
def test_an_action_without_a_sentence_is_refused():
    with pytest.raises(KeyError, match="no registered action"):
        record("something.else", now=NOW)


@pytest.mark.django_db
def test_a_line_is_neither_changed_nor_deleted():
    record("keys.rotated", now=NOW)
    line = TrailEntry.objects.get()
    line.reason = "changed my mind"
    with pytest.raises(TypeError):
        line.save()
    with pytest.raises(TypeError):
        line.delete()


@pytest.mark.django_db
def test_a_switch_says_who_and_why():
    ada, bo = UserFactory(email="ada@example.org"), UserFactory(email="bo@example.org")
    switch_off(target=Target.one_person(bo), reason="on leave", by=ada, now=NOW)
    switch_on(target=Target.one_person(bo), reason="back", by=ada, now=NOW)
    assert lines() == [
        ("ada@example.org", "switched sync off for bo@example.org", "on leave"),
        ("ada@example.org", "switched sync on again for bo@example.org", "back"),
    ]


@pytest.mark.django_db
def test_mailboxes_and_calendars_that_go_and_come_back_are_noted():
    account = AccountFactory(person__email="bo@example.org", address="bo@google.test")
    services.ensure_primary_calendars([account])
    services.activate(calendars=Calendar.objects.all(), from_now=True, now=NOW)
    services.activate(calendars=Calendar.objects.all(), from_now=True, now=NOW)  # on already: nothing to note
    services.deactivate(calendars=Calendar.objects.all(), reason="a test", now=NOW)
    disable_accounts(accounts=LinkedAccount.objects.all(), reason="left", now=NOW)
    enable_accounts(accounts=LinkedAccount.objects.all(), now=NOW)
    assert lines() == [
        ("CalSync", "activated the sync of bo@example.org", ""),
        ("CalSync", "switched the calendars of bo@example.org off", "a test"),
        ("CalSync", "took Google bo@google.test out of the sync", "left"),
        ("CalSync", "let Google bo@google.test take part in the sync again", ""),
    ]


@pytest.mark.django_db
def test_the_name_stays_when_the_person_goes():
    ada = UserFactory(email="ada@example.org")
    record("keys.rotated", now=NOW, by=ada)
    ada.delete()
    assert TrailEntry.objects.get().actor_name == "ada@example.org"


@pytest.mark.django_db
def test_what_is_done_in_the_console_bears_the_person_and_the_address():
    admin = UserFactory(email="root@example.org", is_staff=True, is_superuser=True)
    client = Client(REMOTE_ADDR="10.1.2.3", headers={"X-Forwarded-For": "6.6.6.6"})
    client.force_login(admin)
    form = {"scope": "everybody", "reason": "maintenance"}
    client.post(reverse("admin:syncrules_switch_switch_sync_off"), form)
    line = TrailEntry.objects.get()
    assert (line.actor, line.origin, line.address) == (admin, Origin.WEB, "10.1.2.3")


@pytest.mark.django_db
def test_behind_a_proxy_of_our_own_the_hop_that_it_names_counts(settings):
    settings.CALSYNC_PROXIES = 1
    client = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 10.9.9.9"})
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    client.post(reverse("admin:syncrules_switch_switch_sync_off"), {"scope": "everybody", "reason": "x"})
    assert TrailEntry.objects.get().address == "10.9.9.9"


@pytest.mark.django_db
def test_who_acts_ends_with_the_block():
    with acting(Acting(Origin.COMMAND, name="root, manage.py sync")):
        record("keys.rotated", now=NOW)
    record("keys.rotated", now=NOW)
    assert [line[0] for line in lines()] == ["root, manage.py sync", "CalSync"]


@pytest.mark.parametrize(
    ("arguments", "origin"),
    [
        (["./manage.py", "sync"], Origin.COMMAND),
        (["manage.py", "qcluster"], Origin.WORKER),
        (["/usr/bin/gunicorn", "calsync_site.wsgi"], None),
        (["manage.py"], None),
    ],
)
def test_a_command_acts_as_the_systems_user_and_the_worker_as_itself(arguments, origin):
    actor = actor_of_process(arguments)
    assert (actor.origin if actor else None) == origin


@pytest.mark.django_db
def test_the_console_lists_it_and_offers_no_change(client):
    record("keys.rotated", now=timezone.now())
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:accounts_trailentry_changelist"))
    assert "sealed everything with the newest key" in page.content.decode()
    assert client.get(reverse("admin:accounts_trailentry_add")).status_code == 403
    line = TrailEntry.objects.get()
    assert client.post(reverse("admin:accounts_trailentry_delete", args=[line.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.django_db
def test_what_the_console_s_forms_change_is_noted_by_the_names_of_fields(client):
    root = User.objects.create_superuser("root@example.org", "x")
    client.force_login(root)
    group = PeopleGroup.objects.create(name="Board")
    page = reverse("admin:accounts_peoplegroup_change", args=[group.pk])
    client.post(page, {"name": "Directors", "rank": "5", "members": [root.pk]})
    client.post(page, {"name": "Directors", "rank": "5", "members": [root.pk]})  # nothing to note
    client.post(reverse("admin:accounts_peoplegroup_delete", args=[group.pk]), {"post": "yes"})
    assert lines() == [
        ("root@example.org", "changed the group Directors", ""),
        ("root@example.org", "deleted the group Directors", ""),
    ]
    assert TrailEntry.objects.order_by("pk").first().facts == {"fields": "Name, Rank, Members"}


@pytest.mark.django_db
def test_a_new_password_is_noted_and_not_what_it_is(client):
    root = User.objects.create_superuser("root@example.org", "x")
    client.force_login(root)
    secret = "a-very-long-secret-7"
    page = reverse("admin:auth_user_password_change", args=[UserFactory(email="bo@example.org").pk])
    client.post(page, {"password1": secret, "password2": secret, "usable_password": "true"})
    assert lines() == [("root@example.org", "changed bo@example.org", "")]
    assert secret not in str(TrailEntry.objects.get().facts)


@pytest.mark.django_db
def test_org_units_are_noted_when_they_are_made_moved_and_deleted_in_the_console(client):
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    client.post(reverse("admin:accounts_orgunit_add"), {"name": "Sales", "parent": ""})
    unit = OrgUnit.objects.get()
    client.post(reverse("admin:accounts_orgunit_change", args=[unit.pk]), {"name": "Commerce", "parent": ""})
    client.post(reverse("admin:accounts_orgunit_delete", args=[unit.pk]), {"post": "yes"})
    assert [told for _, told, _ in lines()] == [
        "made the org unit /Sales",
        "renamed or moved the org unit /Commerce",
        "deleted the org unit /Commerce",
    ]
    assert TrailEntry.objects.get(action="units.moved").facts == {"was": "/Sales"}
