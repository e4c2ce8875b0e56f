from django.db import migrations

import accounts.fields


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_mailboxes_mapped_beside_consent'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenantconnection',
            name='directory_admin',
            field=accounts.fields.AddressField(blank=True, default='', max_length=254),
            preserve_default=False,
        ),
    ]
