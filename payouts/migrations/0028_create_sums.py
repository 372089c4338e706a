"""A withdrawal is made in one call by the ledger's posting that takes each account's sums."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("payouts", "0027_sub_accounts"), ("ledger", "0010_posting_sums")]

    operations = [
        migrations.RunSQL((SQL / "create_withdrawal_sums.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
