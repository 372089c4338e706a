"""Limits and address books; rules that take two people, and the function that is the one way to write them."""

from pathlib import Path

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


SQL = Path(__file__).parent / "sql"
UNDO = """
DROP FUNCTION payouts_decide_rule;
DROP TRIGGER rule_decisions_are_not_truncated ON payouts_ruledecision;
DROP TRIGGER rule_decisions_are_append_only ON payouts_ruledecision;
DROP TRIGGER rule_proposals_are_not_truncated ON payouts_ruleproposal;
DROP TRIGGER rule_proposals_are_append_only ON payouts_ruleproposal;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payouts', '0012_invoice_policy'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BookedAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(max_length=16)),
                ('address', models.CharField(help_text="Whole, in the network's normal form.", max_length=128)),
                ('label', models.CharField(help_text='Whose address it is.', max_length=100)),
                ('added_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'booked addresses',
            },
        ),
        migrations.CreateModel(
            name='LimitRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('api', models.CharField(blank=True, help_text='Empty: all APIs together.', max_length=16)),
                ('asset', models.CharField(blank=True, help_text='Empty: every asset.', max_length=16)),
                ('payment_units', models.DecimalField(blank=True, decimal_places=0, max_digits=78, null=True)),
                ('window_hours', models.PositiveIntegerField(blank=True, null=True)),
                ('window_units', models.DecimalField(blank=True, decimal_places=0, max_digits=78, null=True)),
                ('window_count', models.PositiveIntegerField(blank=True, null=True)),
                ('book_only', models.BooleanField(default=False)),
                ('cool_down_hours', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='RuleProposal',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('policy', 'Approval policy'), ('limit', 'Limit'), ('address', 'Address book')], max_length=8)),
                ('row', models.BigIntegerField(help_text='The row that is changed or removed; none is a new one.', null=True)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'rule change',
                'permissions': [('propose_rules', 'Can propose changes of approval policy, limits and address books'), ('confirm_rules', 'Can confirm or decline such changes that somebody else proposed')],
            },
        ),
        migrations.AddField(
            model_name='policyrule',
            name='destination',
            field=models.CharField(blank=True, choices=[('', 'any'), ('known', 'known'), ('new', 'new')], max_length=5),
        ),
        migrations.AlterField(
            model_name='policyrule',
            name='merchant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='payouts.merchant'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['merchant', 'created_at'], name='withdrawal_by_moment'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('status', 'COMPLETED')), fields=['merchant', 'destination'], name='withdrawal_paid_to'),
        ),
        migrations.AddConstraint(
            model_name='policyrule',
            constraint=models.CheckConstraint(condition=models.Q(('approval__in', ['NONE', 'MERCHANT', 'ONE_LEVEL', 'TWO_LEVELS'])), name='policy_approval_known'),
        ),
        migrations.AddConstraint(
            model_name='policyrule',
            constraint=models.CheckConstraint(condition=models.Q(('destination__in', ['', 'known', 'new'])), name='policy_destination_known'),
        ),
        migrations.AddConstraint(
            model_name='policyrule',
            constraint=models.CheckConstraint(condition=models.Q(('from_units__gte', 0), models.Q(('to_units', None), ('to_units__gte', models.F('from_units')), _connector='OR')), name='policy_range_is_one'),
        ),
        migrations.AddConstraint(
            model_name='policyrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asset', ''), _negated=True), models.Q(('from_units', 0), ('to_units', None)), _connector='OR'), name='policy_range_names_its_asset'),
        ),
        migrations.AddField(
            model_name='bookedaddress',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='bookedaddress',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='address_book', to='payouts.merchant'),
        ),
        migrations.AddField(
            model_name='limitrule',
            name='merchant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='payouts.merchant'),
        ),
        migrations.CreateModel(
            name='RuleDecision',
            fields=[
                ('proposal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='decision', serialize=False, to='payouts.ruleproposal')),
                ('verdict', models.CharField(choices=[('CONFIRMED', 'confirmed'), ('DECLINED', 'declined')], max_length=9)),
                ('row', models.BigIntegerField(help_text='The row that is there now, or was until then.', null=True)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='ruleproposal',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='bookedaddress',
            constraint=models.UniqueConstraint(fields=('merchant', 'network', 'address'), name='address_booked_once'),
        ),
        migrations.AddConstraint(
            model_name='limitrule',
            constraint=models.CheckConstraint(condition=models.Q(('payment_units__isnull', False), ('window_units__isnull', False), ('window_count__isnull', False), ('book_only', True), ('cool_down_hours__gt', 0), _connector='OR'), name='limit_says_something'),
        ),
        migrations.AddConstraint(
            model_name='limitrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('window_count', None), ('window_hours', None), ('window_units', None)), models.Q(('window_hours__gt', 0), models.Q(('window_units__isnull', False), ('window_count__isnull', False), _connector='OR')), _connector='OR'), name='limit_window_is_one'),
        ),
        migrations.AddConstraint(
            model_name='limitrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asset', ''), _negated=True), models.Q(('payment_units', None), ('window_units', None)), _connector='OR'), name='limit_amount_names_its_asset'),
        ),
        migrations.AddConstraint(
            model_name='limitrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('payment_units', None), ('payment_units__gte', 0), _connector='OR'), models.Q(('window_units', None), ('window_units__gte', 0), _connector='OR')), name='limit_not_negative'),
        ),
        migrations.AddField(
            model_name='ruledecision',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ruledecision',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='ruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['policy', 'limit', 'address'])), name='rule_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='ruleproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('after__isnull', False), ('before', None), ('row', None)), models.Q(('before__isnull', False), ('row__isnull', False)), _connector='OR'), name='rule_change_is_one'),
        ),
        migrations.AddConstraint(
            model_name='ruledecision',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['CONFIRMED', 'DECLINED'])), name='rule_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='ruledecision',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'DECLINED'), models.Q(('by', models.F('proposed_by')), _negated=True), _connector='OR'), name='rule_takes_two_people'),
        ),
        migrations.RunSQL((SQL / "rules.sql").read_text(encoding="utf-8"), UNDO),
    ]
