"""The functions, checks and triggers that are PL/pgSQL: one readable file each in sql/."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def load(name):
    return migrations.RunSQL((SQL / name).read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [
        load("naming.sql"),
        load("locking.sql"),
        load("posting.sql"),
        load("credit_limit.sql"),
        load("append_only.sql"),
    ]
