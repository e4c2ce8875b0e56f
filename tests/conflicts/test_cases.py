"""Findings become cases: each once, and the person is told."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django_q.models import OrmQ

from calendars.models import Finding
from calendars.signals import findings_stored
from conflicts.models import Case
from conflicts.services import open_cases
from conflicts.tasks import open_cases as open_cases_task
from notifications.models import Message
from tests.factories import NOW, UserFactory

LATER = NOW + timedelta(minutes=5)
db = pytest.mark.django_db


def finding(person=None, **fields):
    fields = {"kind": "both_edited", "text": "The title was changed on both sides.", "created_at": NOW} | fields
    return Finding.objects.create(person=person or UserFactory(), values={"title": "Salary of Bo"}, **fields)


@db
def test_every_finding_becomes_one_case_and_the_person_is_told():
    found = finding()
    assert open_cases(now=LATER) == 1
    case = Case.objects.get()
    assert (case.finding, case.person, case.kind, case.state) == (found, found.person, "both_edited", "open")
    assert (case.opened_at, case.state_since, case.summary) == (LATER, LATER, found.text)
    found.refresh_from_db()
    assert found.case_opened_at == LATER
    message = Message.objects.get(person=found.person)
    assert message.sentence == f"The title was changed on both sides. (case {case.pk})"


@db
def test_doing_it_again_opens_and_tells_nothing():
    finding()
    open_cases(now=NOW)
    assert open_cases(now=LATER) == 0
    assert (Case.objects.count(), Message.objects.count()) == (1, 1)


@db
def test_no_event_text_leaves_the_finding():
    finding()
    open_cases(now=NOW)
    assert "Salary" not in str(list(Case.objects.values()) + list(Message.objects.values()))


@db
def test_a_second_case_for_one_finding_is_impossible():
    found = finding()
    open_cases(now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(finding=found, kind=found.kind, person=found.person, summary="x", opened_at=NOW)


@db
def test_a_thousand_findings_take_a_bounded_number_of_queries(django_assert_max_num_queries):
    person = UserFactory()
    for _ in range(2):
        Finding.objects.bulk_create(
            Finding(person=person, kind="both_edited", text="x", created_at=NOW) for _ in range(600)
        )
    with django_assert_max_num_queries(120):
        assert open_cases(now=NOW) == 1200


@pytest.mark.needs_postgresql  # SQLite has one writer at a time, and its test database does not even wait for it
@pytest.mark.django_db(transaction=True)
def test_several_who_open_at_once_open_each_case_once():
    person = UserFactory()
    for _ in range(20):
        finding(person)
    start = threading.Barrier(3)
    opened: list[int] = []

    def work():
        start.wait()
        opened.append(open_cases(now=NOW))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(opened) == 20
    assert (Case.objects.count(), Message.objects.count()) == (20, 20)


@db
def test_news_of_findings_only_enqueues(settings):
    finding()
    findings_stored.send(sender=Finding)
    assert OrmQ.objects.count() == 1
    assert OrmQ.objects.get().func() == "conflicts.tasks.open_cases"
    assert Case.objects.count() == 0


@db
def test_the_task_opens_what_waits():
    finding()
    assert open_cases_task() == 1


@db
def test_a_decided_case_keeps_who_and_when():
    found = finding()
    open_cases(now=NOW)
    case = Case.objects.open().get()
    case.decide(by_id=found.person_id, now=LATER)
    case.save()
    assert not Case.objects.open().exists()
    assert (case.state_since, case.decided_by) == (LATER, found.person)
    case.close(now=LATER + timedelta(hours=1))
    case.save()
    assert case.state_since == LATER + timedelta(hours=1)


@db
def test_the_console_lists_cases_and_changes_none(admin_client):
    finding()
    open_cases(now=NOW)
    case = Case.objects.get()
    listing = admin_client.get("/admin/conflicts/case/")
    assert listing.status_code == 200
    assert b"changed on both sides" in listing.content
    assert b"Salary" not in admin_client.get(f"/admin/conflicts/case/{case.pk}/change/").content
    assert admin_client.post(f"/admin/conflicts/case/{case.pk}/delete/", {"post": "yes"}).status_code == 403
