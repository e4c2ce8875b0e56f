"""The console: every list opens, engine-owned rows are for looking, sealed values stay sealed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from accounts.console import ReadOnlyAdmin
from accounts.models import User
from calendars.models import AuditRun, Calendar, Event, Finding, HookCount, Link, Operation, Watch
from calsync.engine import serial
from calsync.engine.events import AllDay, Content
from calsync.engine.events import Event as HubEvent
from calsync_site.console import console_navigation
from tests.factories import AccountFactory

SECRET = "Merger with Larkfield"
OURS = [
    model
    for model, page in admin.site._registry.items()
    if model._meta.app_label in {"calendars", "conflicts"} and isinstance(page, ReadOnlyAdmin)
]


@pytest.fixture
def console(client, db):
    client.force_login(User.objects.create_superuser("admin@example.org", "x"))
    return client


@pytest.fixture
def rows(db):
    now = timezone.now()
    calendar = Calendar.objects.create(account=AccountFactory(), is_active=True, cursor=SECRET)
    day = AllDay(now.date(), now.date())
    content = serial.dump(HubEvent(content=Content(when=day, title=SECRET)))
    event = Event.objects.create(
        owner=calendar.account.person, starts_at=now, ends_at=now, show_as="busy", content=content
    )
    link = Link.objects.create(event=event, calendar=calendar, role="origin", remote_id="r1")
    return {
        Calendar: calendar,
        Event: event,
        Link: link,
        Operation: Operation.objects.create(link=link, calendar=calendar, kind="update", due_at=now, planned_at=now),
        Finding: Finding.objects.create(
            kind="both_edited", person=event.owner, event=event, values={"title": SECRET}, text="x", created_at=now
        ),
        Watch: Watch.objects.create(calendar=calendar, secret=SECRET, state_since=now),
        HookCount: HookCount.objects.create(day=now.date(), provider="graph", outcome="accepted"),
        AuditRun: AuditRun.objects.create(started_at=now, finished_at=now, scope="all", match_rate=100),
    }


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.label)
def test_every_list_opens(console, rows, model):
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answer = console.get(page)
    assert answer.status_code == 200
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("model", [Calendar, Event, Link, Operation, Finding, Watch, HookCount, AuditRun])
def test_one_row_may_be_looked_at_and_not_touched(console, rows, model):
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[rows[model].pk])
    answer = console.get(page)
    assert answer.status_code == 200
    assert SECRET not in answer.content.decode()
    assert console.post(page, {}).status_code == 403
    assert model.objects.filter(pk=rows[model].pk).exists()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_engine_owned_rows_are_not_added_by_hand(console, model):
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    assert console.get(page).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_list(console, rows, django_assert_max_num_queries):
    for _ in range(30):
        Calendar.objects.create(account=AccountFactory(), is_active=True)
    with django_assert_max_num_queries(14):
        console.get(reverse("admin:calendars_calendar_changelist"))


def test_reading_now_rings_the_bell(console, rows):
    calendar = rows[Calendar]
    page = reverse("admin:calendars_calendar_changelist")
    console.post(page, {"action": "read_now", "_selected_action": [calendar.pk]})
    calendar.refresh_from_db()
    assert calendar.wanted == 1


def test_the_sidebar_leads_to_pages_that_open(console):
    for group in console_navigation():
        for item in group["items"]:
            assert console.get(str(item["link"])).status_code == 200


def test_strangers_are_asked_to_log_in(client, db):
    answer = client.get(reverse("admin:calendars_calendar_changelist"))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_every_model_of_ours_is_in_the_console():
    ours = {"accounts", "notifications", "syncrules", "calendars", "conflicts"}
    inside = {inline.model for page in admin.site._registry.values() for inline in page.inlines}
    missing = [
        model._meta.label
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ours and model not in inside and not admin.site.is_registered(model)
    ]
    assert missing == []
