"""Django's migrate, followed by the application role's grants: a table never waits for its rights."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from ledger import roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["check_unapplied"] or options["plan"]:
            return
        with connections[options["database"]].cursor() as cursor:
            cursor.execute(roles.grants())
