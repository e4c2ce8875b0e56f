"""Keys are rotated while the system runs: everything is sealed anew, and nothing that is written meanwhile is lost."""

from __future__ import annotations

import json
import threading
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from accounts.models import Secret
from accounts.rotation import BATCH, is_newest, rotate, sealed_columns
from accounts.sealing import resealed
from accounts.secrets import fingerprint_key
from calsync_site.doctor.keys import look_at_keys
from calsync_site.keycheck import refuse_wrong_keys
from tests.factories import NOW, ConnectionFactory

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.CALSYNC_SEALING_KEYS = [OLD]


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM accounts_secret ORDER BY id")
        return [value for (value,) in cursor.fetchall()]


def outcome(columns, name="accounts.Secret.value"):
    return next(column for column in columns if column.name == name)


@pytest.mark.django_db
def test_every_sealed_column_is_known():
    assert {column.name for column in sealed_columns()} >= {
        "accounts.Secret.value",
        "accounts.TenantConnection.credentials",
        "calendars.Event.content",
        "calendars.Finding.values",
        "calendars.Watch.secret",
    }


@pytest.mark.django_db
def test_everything_is_sealed_anew_and_says_the_same(settings):
    rows = [Secret.objects.create(name=f"s{number}", value=f"v{number}") for number in range(BATCH + 3)]
    ConnectionFactory(credentials="hunter2")
    empty = ConnectionFactory(credentials="", tenant="another")
    fingerprints = fingerprint_key()
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    found = outcome(rotate(now=NOW))
    assert (found.values, found.resealed, found.left, found.broken) == (BATCH + 4, BATCH + 4, 0, 0)
    settings.CALSYNC_SEALING_KEYS = [NEW]
    assert [row.value for row in Secret.objects.filter(name__startswith="s").order_by("pk")] == [
        f"v{number}" for number in range(len(rows))
    ]
    assert fingerprint_key() == fingerprints  # titles are not guessed from it, and no event looks edited
    empty.refresh_from_db()
    assert empty.credentials == ""


@pytest.mark.django_db
def test_what_was_broken_off_is_gone_on_with(settings):
    for number in range(5):
        Secret.objects.create(name=f"s{number}", value="x")
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    done = stored()[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_secret SET value = %s WHERE name = 's0'", [resealed(done)])
    assert outcome(rotate(now=NOW)).resealed == 4
    assert outcome(rotate(now=NOW)).resealed == 0


@pytest.mark.django_db
def test_a_value_that_no_key_opens_is_left_and_told(settings):
    settings.CALSYNC_SEALING_KEYS = [LOST]
    Secret.objects.create(name="lost", value="x")
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    before = stored()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_keys", stdout=out)
    assert ended.value.code == 1
    assert "accounts.Secret.value: 1 are opened by none of the keys" in out.getvalue()
    assert stored() == before


@pytest.mark.django_db
def test_the_report_is_for_machines_too(settings):
    Secret.objects.create(name="one", value="x")
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    out = StringIO()
    call_command("rotate_keys", "--json", stdout=out)
    secret = next(column for column in json.loads(out.getvalue()) if column["column"] == "accounts.Secret.value")
    assert secret == {"column": "accounts.Secret.value", "values": 1, "resealed": 1, "left": 0, "broken": 0}


@pytest.mark.django_db
def test_the_doctor_says_that_something_is_still_on_an_older_key(settings):
    Secret.objects.create(name="one", value="x")
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    assert "1 of 1 sealed values" in look_at_keys()[0].text
    rotate(now=NOW)
    assert look_at_keys()[0].state == "ok"


@pytest.mark.django_db
def test_a_key_that_does_not_fit_the_database_is_refused_at_the_start(settings):
    fingerprint_key()
    refuse_wrong_keys()
    settings.CALSYNC_SEALING_KEYS = [NEW]
    with pytest.raises(ImproperlyConfigured, match="does not fit this database"):
        refuse_wrong_keys()


@pytest.mark.django_db
@pytest.mark.parametrize(("times", "left"), [(1, 0), (99, 1)], ids=["once", "always"])
def test_somebody_who_still_writes_with_the_older_key_is_noticed(settings, times, left):
    Secret.objects.create(name="one", value="x")
    older = stored()[0]
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    seen = []

    def progress(stage, done, total):
        seen.append(stage)
        if stage == "accounts.Secret.value" and seen.count(stage) <= times:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE accounts_secret SET value = %s", [older])

    assert outcome(rotate(now=NOW, progress=progress)).left == left


@pytest.mark.needs_postgresql  # SQLite lets one write at a time
@pytest.mark.django_db(transaction=True)
def test_what_somebody_writes_while_keys_are_rotated_stays(settings):
    rows = [Secret.objects.create(name=f"s{number}", value="first") for number in range(BATCH * 2)]
    settings.CALSYNC_SEALING_KEYS = [NEW, OLD]
    stop = threading.Event()
    written: dict[int, str] = {}

    def write() -> None:
        number = 0
        while not stop.is_set():
            row = rows[number * 7 % len(rows)]
            Secret.objects.filter(pk=row.pk).update(value=f"second {number}")
            written[row.pk] = f"second {number}"
            number += 1
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        rotated = outcome(rotate(now=NOW))
        assert rotated.left == 0
    finally:
        stop.set()
        writer.join()
    assert len(written) > 10  # it really wrote meanwhile
    assert rotated.broken == 0
    settings.CALSYNC_SEALING_KEYS = [NEW]
    assert {row.pk: row.value for row in Secret.objects.filter(name__startswith="s")} == {
        row.pk: written.get(row.pk, "first") for row in rows
    }
    assert all(is_newest(value) for value in stored())
