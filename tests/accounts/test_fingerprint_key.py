"""The key of all fingerprints: one, for ever."""

import threading

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from accounts.models import Secret
from accounts.secrets import fingerprint_key


@pytest.mark.django_db
def test_the_key_is_made_once_and_stays():
    key = fingerprint_key()
    assert len(key) == 32
    assert fingerprint_key() == key
    assert Secret.objects.count() == 1


@pytest.mark.django_db
def test_the_key_survives_a_rotation_of_sealing_keys(settings):
    key = fingerprint_key()
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode(), *settings.CALSYNC_SEALING_KEYS]
    assert fingerprint_key() == key


@pytest.mark.django_db
def test_the_key_is_not_readable_in_the_database():
    fingerprint_key()
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM accounts_secret")
        assert cursor.fetchone()[0].startswith("gAAAA")


@pytest.mark.needs_postgresql  # SQLite has one writer at a time, and its test database does not even wait for it
@pytest.mark.django_db(transaction=True)
def test_all_who_ask_first_at_once_get_the_same_key():
    start = threading.Barrier(4)
    keys: list[bytes] = []

    def ask():
        start.wait()
        keys.append(fingerprint_key())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1
