"""Memorandum accounts, conversions, adjustments by two persons, and what people look up."""

from pathlib import Path

import ledger.models
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


def load(name):
    return migrations.RunSQL((SQL / name).read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_bulk_and_partitions")]

    operations = [
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('pk', models.CompositePrimaryKey('book', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('book', models.UUIDField()),
                ('id', models.UUIDField()),
                ('source', models.UUIDField()),
                ('target', models.UUIDField()),
                ('amount', ledger.models.UnitsField()),
                ('reason', models.TextField()),
                ('reference', models.TextField()),
                ('by', models.TextField()),
                ('at', models.DateTimeField()),
                ('xid', ledger.models.XidField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('amount__lt', 100000000000000000000000000000000000000000000000000000000000000000000000000000)), name='adjustment_amount_in_range'), models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), _negated=True), models.Q(('by', ''), _negated=True)), name='adjustment_reasoned')],
            },
        ),
        migrations.CreateModel(
            name='AdjustmentDecision',
            fields=[
                ('pk', models.CompositePrimaryKey('book', 'adjustment', blank=True, editable=False, primary_key=True, serialize=False)),
                ('book', models.UUIDField()),
                ('adjustment', models.UUIDField()),
                ('verdict', models.TextField()),
                ('proposed_by', models.TextField()),
                ('by', models.TextField()),
                ('at', models.DateTimeField()),
                ('xid', ledger.models.XidField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('verdict__in', ['CONFIRMED', 'DECLINED'])), name='adjustment_verdict_known'), models.CheckConstraint(condition=models.Q(models.Q(('by', ''), _negated=True), models.Q(('verdict', 'DECLINED'), models.Q(('by', models.F('proposed_by')), _negated=True), _connector='OR')), name='adjustment_by_two_persons')],
            },
        ),
        migrations.RemoveConstraint(model_name='account', name='account_floor_by_purpose'),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('floor', 0), ('floor__isnull', False), ('purpose__in', ['available', 'frozen', 'memo', 'memo_frozen'])), models.Q(('floor__isnull', False), ('floor__lte', 0), ('purpose', 'credit')), models.Q(('floor__isnull', True), ('purpose__in', ['fees', 'external', 'conversion', 'memo_contra'])), _connector='OR'), name='account_floor_by_purpose'),
        ),
        load("vocabulary.sql"),
        load("opening.sql"),
        load("conversions.sql"),
        load("adjusting.sql"),
        load("looking_up.sql"),
        migrations.CreateModel(
            name='AdjustmentLine',
            fields=[
                ('key', models.TextField(primary_key=True, serialize=False)),
                ('book', models.UUIDField()),
                ('id', models.UUIDField(verbose_name='adjustment')),
                ('source', models.UUIDField()),
                ('target', models.UUIDField()),
                ('amount', ledger.models.UnitsField()),
                ('reason', models.TextField()),
                ('reference', models.TextField()),
                ('by', models.TextField(verbose_name='proposed by')),
                ('at', models.DateTimeField()),
                ('verdict', models.TextField(null=True)),
                ('decided_by', models.TextField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'adjustment',
                'db_table': 'ledger_adjustment_line',
                'managed': False,
            },
        ),
    ]
