"""Fees and credit lines take two people too: the one function that writes rules knows them."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
BEFORE = (SQL / "rules.sql").read_text(encoding="utf-8")
FORMER = BEFORE[BEFORE.index("CREATE FUNCTION payouts_decide_rule") :].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payouts", "0022_runs")]

    operations = [
        migrations.AlterModelOptions(
            name="ruleproposal",
            options={
                "permissions": [
                    (
                        "propose_rules",
                        "Can propose changes of approval policy, limits, address books, fees and credit lines",
                    ),
                    ("confirm_rules", "Can confirm or decline such changes that somebody else proposed"),
                ],
                "verbose_name": "rule change",
            },
        ),
        migrations.RemoveConstraint(model_name="ruleproposal", name="rule_kind_known"),
        migrations.AlterField(
            model_name="ruleproposal",
            name="kind",
            field=models.CharField(
                choices=[
                    ("policy", "Approval policy"),
                    ("limit", "Limit"),
                    ("address", "Address book"),
                    ("fee", "Fee"),
                    ("credit", "Credit line"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=["policy", "limit", "address", "fee", "credit"]), name="rule_kind_known"
            ),
        ),
        migrations.RunSQL((SQL / "fees_and_credit.sql").read_text(encoding="utf-8"), FORMER),
    ]
