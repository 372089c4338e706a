"""Bulk posting, and events partitioned by time."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_seals")]

    operations = []
