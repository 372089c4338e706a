"""What an account is by its parts is looked at when they are written, not at every posting."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_vocabulary")]

    operations = [
        migrations.RunSQL((SQL / "account_rules.sql").read_text(encoding="utf-8")),
        migrations.RemoveConstraint(model_name="account", name="account_floor_by_purpose"),
        migrations.RemoveConstraint(model_name="account", name="account_named_plainly"),
        migrations.RemoveConstraint(model_name="account", name="account_network_by_purpose"),
    ]
