"""The short way without sums and without a lock of its own per row; conversions among thousands."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_posting_crowd")]

    operations = [
        migrations.RunSQL((SQL / name).read_text(encoding="utf-8"))
        for name in ("account_rules_after.sql", "posting_sums.sql", "bulk_conversions.sql")
    ]
