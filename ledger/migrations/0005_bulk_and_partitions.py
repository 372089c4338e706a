"""Bulk posting, the short way of one movement, and events partitioned by time."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def load(name):
    return migrations.RunSQL((SQL / name).read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_seals")]

    operations = [
        load("partitions.sql"),
        load("request_hash.sql"),
        load("posting_one.sql"),
        load("bulk.sql"),
        # Over all partitions an account's sequence is unique by its row's lock, within each by a constraint of its own.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name="event", name="event_source_seq_once"),
                migrations.RemoveConstraint(model_name="event", name="event_target_seq_once"),
            ]
        ),
    ]
