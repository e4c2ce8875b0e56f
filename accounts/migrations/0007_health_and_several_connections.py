from django.db import migrations, models

LINKED = {"active": "healthy", "problem": "action_required"}
CONNECTIONS = {"unknown": "waiting", "ok": "healthy", "problem": "action_required"}


def _change(words, model, apps):
    rows = apps.get_model("accounts", model).objects
    for old, new in words.items():
        rows.filter(state=old).update(state=new)


def into_one_vocabulary(apps, schema_editor):
    _change(LINKED, "LinkedAccount", apps)
    _change(CONNECTIONS, "TenantConnection", apps)


def back(apps, schema_editor):
    """The finer words become the old ones that they were part of."""
    coarse = {"waiting": "active", "importing": "active", "catching_up": "active", "delayed": "active"}
    _change({**{new: old for old, new in LINKED.items()}, **coarse}, "LinkedAccount", apps)
    coarse = {"importing": "ok", "catching_up": "ok", "delayed": "problem", "disabled": "problem"}
    _change({**{new: old for old, new in CONNECTIONS.items()}, **coarse}, "TenantConnection", apps)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_roles'),
    ]

    operations = [
        migrations.AddField(
            model_name='linkedaccount',
            name='last_success_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='linkedaccount',
            name='state_remedy',
            field=models.CharField(blank=True, max_length=600),
        ),
        migrations.AddField(
            model_name='tenantconnection',
            name='domains',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='tenantconnection',
            name='expires_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='tenantconnection',
            name='last_success_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='tenantconnection',
            name='state_remedy',
            field=models.CharField(blank=True, max_length=600),
        ),
        migrations.RemoveField(model_name='linkedaccount', name='is_active'),  # PostgreSQL: it holds on to the state
        migrations.AlterField(
            model_name='linkedaccount',
            name='state',
            field=models.CharField(choices=[('waiting', 'not started yet'), ('importing', 'importing'), ('catching_up', 'catching up'), ('healthy', 'healthy'), ('delayed', 'delayed'), ('action_required', 'action required'), ('disabled', 'disabled')], default='waiting', max_length=20),
        ),
        migrations.AlterField(
            model_name='tenantconnection',
            name='state',
            field=models.CharField(choices=[('waiting', 'not started yet'), ('importing', 'importing'), ('catching_up', 'catching up'), ('healthy', 'healthy'), ('delayed', 'delayed'), ('action_required', 'action required'), ('disabled', 'disabled')], default='waiting', max_length=20),
        ),
        migrations.RunPython(into_one_vocabulary, back),
        migrations.AddField(
            model_name='linkedaccount',
            name='is_active',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state='disabled', then=models.Value(False)), default=models.Value(True)), output_field=models.BooleanField()),
        ),
    ]
