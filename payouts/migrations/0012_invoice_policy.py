"""CONFORMANCE's default for the invoice API: two approvers."""

from django.db import migrations


def add_default(apps, schema_editor):
    apps.get_model("payouts", "PolicyRule").objects.create(priority=1000, api="invoice", approval="TWO_LEVELS")


class Migration(migrations.Migration):
    dependencies = [("payouts", "0011_signer")]

    operations = [migrations.RunPython(add_default, migrations.RunPython.noop)]
