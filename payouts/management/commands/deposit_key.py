"""Make (once) the keys of one network's deposit addresses and enrol their public half. Runs as the signer only."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import networks, transfers
from payouts.payments import addresses


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--network", choices=sorted(networks.NETWORKS), required=True)
        parser.add_argument("--light", action="store_true", help="quick to open; for local keys only")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        network = options["network"]
        try:
            path, xpub = transfers.deposit_xpub(network, light=options["light"])
            addresses.enrol(network, path=path, xpub=xpub, now=datetime.now(UTC))
        except (transfers.KeyUnusable, addresses.OtherKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(xpub)
