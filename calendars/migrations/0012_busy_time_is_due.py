"""The busy time of all events that are known waits to be worked out; PostgreSQL finds it by ranges of time.

``btree_gist`` lets one GiST index begin with the person. It is a trusted extension: the database's owner may install it.
"""

import django.utils.timezone
from django.db import migrations

INDEX = "busy_slot_person_span"


def all_due(apps, schema_editor):
    events = apps.get_model("calendars", "Event").objects
    events.filter(deleted_at=None, whole=None).update(busy_due_at=django.utils.timezone.now())


def range_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        span = "person_id, tstzrange(starts_at, ends_at)"
        schema_editor.execute(f"CREATE INDEX {INDEX} ON calendars_busyslot USING gist ({span})")


def no_range_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX {INDEX}")


class Migration(migrations.Migration):

    dependencies = [
        ('calendars', '0011_busy_time'),
    ]

    operations = [
        migrations.RunPython(all_due, migrations.RunPython.noop),
        migrations.RunPython(range_index, no_range_index),
    ]
