from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_directory_administrator'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenantconnection',
            name='last_test',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='tenantconnection',
            name='tested_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
