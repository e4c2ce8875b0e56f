import django.utils.timezone
from django.db import migrations, models


def into_one_vocabulary(apps, schema_editor):
    calendars = apps.get_model("calendars", "Calendar").objects
    calendars.filter(state="mapped").update(state="waiting")
    calendars.filter(state_since=None).update(state_since=django.utils.timezone.now())


def back(apps, schema_editor):
    calendars = apps.get_model("calendars", "Calendar").objects
    calendars.filter(state="waiting").update(state="mapped")
    calendars.filter(state="catching_up").update(state="healthy")


class Migration(migrations.Migration):

    dependencies = [
        ('calendars', '0007_classification'),
    ]

    operations = [
        migrations.AddField(
            model_name='calendar',
            name='state_remedy',
            field=models.CharField(blank=True, max_length=600),
        ),
        migrations.RunPython(into_one_vocabulary, back),
        migrations.AlterField(
            model_name='calendar',
            name='state',
            field=models.CharField(choices=[('waiting', 'not started yet'), ('importing', 'importing'), ('catching_up', 'catching up'), ('healthy', 'healthy'), ('delayed', 'delayed'), ('action_required', 'action required'), ('disabled', 'disabled')], default='waiting', max_length=20),
        ),
        migrations.AlterField(
            model_name='calendar',
            name='state_since',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
    ]
