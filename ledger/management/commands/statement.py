"""Write an account's statement as CSV to the standard output, however long it is."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from ledger import balances, statements
from ledger.accounts import Purpose, Ref
from ledger.models import Account


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("book", type=UUID, help="the merchant's id")
        parser.add_argument("--account", type=UUID, help="the account's id, in place of its parts")
        parser.add_argument("--owner", type=UUID, help="whose account; the merchant's own by default")
        parser.add_argument("--asset", default="USDT")
        parser.add_argument("--purpose", default=Purpose.AVAILABLE, choices=list(Purpose), type=Purpose)
        parser.add_argument("--network", default="", help="of an external account")
        parser.add_argument("--after-seq", type=int, default=0, help="entries after this number")
        parser.add_argument("--before-seq", type=int, help="entries before this number")
        parser.add_argument("--places", type=int, default=0, help="decimal places of the amounts; USDT in coins: 6")

    def handle(self, *_: Any, **options: Any) -> None:
        ref = self.account(options)
        places = {name: options[name] for name in ("places", "after_seq", "before_seq")}
        try:
            for lines in statements.as_csv(ref, **places):
                self.stdout.write(lines, ending="")
        except ValueError as error:
            raise CommandError(str(error)) from error

    def account(self, options: dict[str, Any]) -> Ref:
        """The account that the arguments name, which has been opened."""
        book: UUID = options["book"]
        named = Ref(book, options["owner"] or book, options["asset"], options["purpose"], options["network"])
        try:
            return balances.named(book, account=options["account"] or named.id)
        except Account.DoesNotExist:
            raise CommandError(f"book {book} has no account {options['account'] or named}") from None
