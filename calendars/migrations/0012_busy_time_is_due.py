"""The busy time of all events that are known waits to be worked out."""

import django.utils.timezone
from django.db import migrations


def all_due(apps, schema_editor):
    events = apps.get_model("calendars", "Event").objects
    events.filter(deleted_at=None, whole=None).update(busy_due_at=django.utils.timezone.now())


class Migration(migrations.Migration):

    dependencies = [
        ('calendars', '0011_busy_time'),
    ]

    operations = [
        migrations.RunPython(all_due, migrations.RunPython.noop),
    ]
