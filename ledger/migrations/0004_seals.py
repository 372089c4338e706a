"""Blocks that seal committed events, and their anchors."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_lines")]

    operations = []
