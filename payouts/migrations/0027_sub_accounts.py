"""Merchants' sub-accounts and the transfers that lead to and from them."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payouts', '0026_differences_explained'),
    ]

    operations = [
        migrations.CreateModel(
            name='SubAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('external_id', models.CharField(blank=True, help_text="The merchant's own name for it.", max_length=128)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sub_accounts', to='payouts.merchant')),
            ],
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('api', models.CharField(max_length=16)),
                ('direction', models.CharField(choices=[('to_sub', 'to the sub-account'), ('to_master', 'to the main account')], max_length=9)),
                ('asset', models.CharField(max_length=16)),
                ('network', models.CharField(help_text='Of the code that it was asked for in; the balance is one.', max_length=16)),
                ('amount_units', models.DecimalField(decimal_places=0, max_digits=78)),
                ('status', models.CharField(choices=[('PENDING', 'Pending'), ('COMPLETED', 'Completed'), ('FAILED', 'Failed')], default='PENDING', max_length=9)),
                ('reason', models.CharField(blank=True, help_text='Why it failed.', max_length=100)),
                ('actor', models.CharField(help_text='Which program asked for it.', max_length=150)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('callback', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payouts.endpoint')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='payouts.merchant')),
                ('sub_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='payouts.subaccount')),
            ],
        ),
        migrations.AddConstraint(
            model_name='subaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('merchant', 'external_id'), name='one_sub_account_per_external_id'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('status', 'PENDING')), fields=['id'], name='transfer_to_do'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['sub_account', '-id'], name='transfer_by_sub_account'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('status', 'PENDING')), fields=['merchant'], name='transfer_under_way'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('amount_units__gt', 0)), name='transfer_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'COMPLETED', 'FAILED'])), name='transfer_status_known'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['to_sub', 'to_master'])), name='transfer_direction_known'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'FAILED'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('status', 'FAILED'), _negated=True), ('reason', '')), _connector='OR'), name='transfer_failed_for_a_reason'),
        ),
    ]
