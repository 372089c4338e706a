"""Django's migrate, followed by the database roles' grants: a table never waits for its rights."""

from typing import Any

from django.apps import apps
from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["check_unapplied"] or options["plan"]:
            return
        database = connections[options["database"]]
        there = set(database.introspection.table_names())
        with database.cursor() as cursor:
            for app in apps.get_app_configs():
                tables = {model._meta.db_table for model in app.get_models() if model._meta.managed}  # noqa: SLF001 - Django's API
                if hasattr(app, "grants") and tables <= there:  # not at a migration to some earlier state
                    cursor.execute(app.grants())
