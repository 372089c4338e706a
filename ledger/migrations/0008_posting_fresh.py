"""The short way of posting for any number of movements at once."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_account_rules")]

    operations = [
        migrations.RunSQL((SQL / "posting_fresh.sql").read_text(encoding="utf-8")),
    ]
