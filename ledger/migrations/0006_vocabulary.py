"""Memorandum accounts and conversions."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_bulk_and_partitions")]

    operations = []
