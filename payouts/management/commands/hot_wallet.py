"""Make a hot wallet on each of these networks: a key into the keystore, its address into service. The signer's only."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import gateway, networks, transfers, wallets


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--network", choices=sorted(networks.NETWORKS), nargs="+", required=True)
        parser.add_argument("--light", action="store_true", help="quick to open; for local keys only")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        for network in options["network"]:
            try:
                wallet = wallets.create(network, light=options["light"])
            except (transfers.KeyUnusable, gateway.ChainError) as error:
                raise CommandError(str(error)) from error
            self.stdout.write(wallet.address)
