"""Blocks that seal committed events, and their anchors."""

from pathlib import Path

import ledger.models
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_lines")]

    operations = [
        migrations.CreateModel(
            name="Block",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("previous", models.BinaryField()),
                ("xid_from", ledger.models.XidField()),
                ("xid_to", ledger.models.XidField()),
                ("xid_next", ledger.models.XidField()),
                ("events", models.BigIntegerField()),
                ("events_total", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("previous",), name="block_follows_once"),
                    models.UniqueConstraint(fields=("xid_to",), name="block_ends_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("events__gt", 0),
                            ("events_total__gte", models.F("events")),
                            ("number__gt", 0),
                            ("xid_to__gt", models.F("xid_from")),
                            ("xid_next__gte", models.F("xid_to")),
                        ),
                        name="block_is_a_stretch",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "block", "network", "txid", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("block", models.BigIntegerField()),
                ("network", models.TextField()),
                ("txid", models.TextField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL((SQL / "seals.sql").read_text(encoding="utf-8")),
    ]
