"""Write what an outsider needs to check the ledger with ledger/verify.py: one event and its path, or the chain."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from ledger import export, seals
from ledger.models import Event


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        event = what.add_parser("event", help="one event, its path to its block's root, the blocks from there on")
        event.add_argument("book", type=UUID)
        event.add_argument("id", type=UUID)
        event.add_argument("--through", type=int, help="up to this block; without it up to the newest")
        chain = what.add_parser("chain", help="every block with the lines of its events")
        for one in (event, chain):
            one.add_argument("file", type=Path, help="where to write it")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        file: Path = options["file"]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
            if options["what"] == "chain":
                with file.open("wb") as stream:
                    written = f"{export.chain(stream):,} blocks"
            else:
                written = self._event(options)
            newest = seals.newest()
        head = f"the hash of block {newest.number} is {bytes(newest.hash).hex()}" if newest else "nothing is sealed yet"
        self.stdout.write(f"{file}: {written}; {head}")

    @staticmethod
    def _event(options: dict[str, Any]) -> str:
        try:
            document = export.event(options["book"], options["id"], through=options["through"])
        except Event.DoesNotExist as error:
            raise CommandError(f"book {options['book']} has no event {options['id']}") from error
        except export.NotSealed as error:
            raise CommandError(str(error)) from error
        options["file"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return f"one event of block {document['blocks'][0]['number']}, {len(document['blocks']):,} blocks"
