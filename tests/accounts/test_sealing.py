"""Sealed columns: unreadable in the database, clear in memory, and broken seals never pass for values."""

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from accounts.models import Secret, TenantConnection
from accounts.sealing import SealBroken, SealedJSONField, seal, sealed_fields, unseal
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


def stored_value(row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM accounts_tenantconnection WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def test_a_sealed_text_is_unreadable_in_the_database_and_clear_in_memory():
    row = ConnectionFactory(credentials="hunter2 ü")
    assert "hunter2" not in stored_value(row)
    assert TenantConnection.objects.get(pk=row.pk).credentials == "hunter2 ü"


def test_an_empty_text_stays_empty():
    row = ConnectionFactory(credentials="")
    assert stored_value(row) == ""
    assert TenantConnection.objects.get(pk=row.pk).credentials == ""


def test_the_same_text_is_sealed_differently_each_time():
    assert seal("same") != seal("same")


def test_a_value_sealed_with_an_older_key_still_opens(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CALSYNC_SEALING_KEYS = [old]
    sealed = seal("kept")
    settings.CALSYNC_SEALING_KEYS = [new, old]
    assert unseal(sealed) == "kept"
    assert unseal(seal("newer")) == "newer"


def test_new_values_are_sealed_with_the_newest_key(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CALSYNC_SEALING_KEYS = [new, old]
    sealed = seal("x")
    settings.CALSYNC_SEALING_KEYS = [new]
    assert unseal(sealed) == "x"


def test_a_lost_key_raises_and_never_hands_out_the_sealed_text(settings):
    row = ConnectionFactory(credentials="hunter2")
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SealBroken) as caught:
        TenantConnection.objects.get(pk=row.pk)
    assert stored_value(row) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_key_at_all_is_a_configuration_error(settings):
    settings.CALSYNC_SEALING_KEYS = []
    with pytest.raises(ImproperlyConfigured):
        seal("x")


@pytest.mark.parametrize("lookup", ["credentials", "credentials__contains", "credentials__in", "credentials__gt"])
def test_sealed_values_cannot_be_searched(lookup):
    with pytest.raises(FieldError, match="sealed"):
        list(TenantConnection.objects.filter(**{lookup: "hunter2"}))


def test_bulk_writing_seals_too():
    rows = [ConnectionFactory() for _ in range(3)]
    for row in rows:
        row.credentials = f"secret {row.pk}"
    TenantConnection.objects.bulk_update(rows, ["credentials"])
    assert all("secret" not in stored_value(row) for row in rows)
    assert {row.credentials for row in TenantConnection.objects.all()} == {f"secret {row.pk}" for row in rows}


def test_an_update_statement_seals_too():
    row = ConnectionFactory()
    TenantConnection.objects.update(credentials="hunter2")
    assert "hunter2" not in stored_value(row)
    assert list(TenantConnection.objects.values_list("credentials", flat=True)) == ["hunter2"]


def test_a_dump_holds_no_clear_text_and_can_be_loaded():
    row = ConnectionFactory(credentials="hunter2")
    dump = serializers.serialize("json", [row])
    assert "hunter2" not in dump
    TenantConnection.objects.all().delete()
    for loaded in serializers.deserialize("json", dump):
        loaded.save()
    assert TenantConnection.objects.get().credentials == "hunter2"


@pytest.mark.parametrize("value", [{}, [], {"title": "Jour fixe ü", "n": [1, None, True]}, "text", 0, ""])
def test_json_values_come_back_as_they_were(value):
    field = SealedJSONField()
    sealed = field.get_prep_value(value)
    assert sealed != value
    assert field.from_db_value(sealed, None, connection) == value


def test_sealed_fields_are_in_no_form():
    assert sealed_fields(Secret) == ["value"]
    assert not Secret._meta.get_field("value").editable
