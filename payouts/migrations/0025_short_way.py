"""A rulebook's version, and the function that makes a withdrawal in one call."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
UNDO = """
DROP FUNCTION payouts_create_withdrawal;
DROP FUNCTION payouts_stands;
DROP FUNCTION payouts_rulebook_changed CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0024_counts_of_lists"),
        ("chain", "0010_batches"),
        ("ledger", "0009_posting_crowd"),
    ]

    operations = [
        migrations.CreateModel(
            name="RulebookVersion",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL((SQL / "create_withdrawal.sql").read_text(encoding="utf-8"), UNDO),
    ]
