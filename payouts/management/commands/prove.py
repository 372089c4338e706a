"""Prove that the ledger holds together and agrees with the chains; exits 0 only if all of it holds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import addresses, gateway, units
from ledger import audit
from ledger.models import Anchor
from payouts import anchors, reconciliation

TRIES = 5


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor-wallet",
            action="append",
            default=[],
            metavar="ADDRESS",
            help="whose anchors are read besides those of the wallets on record: keep the addresses elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        report, problems = self._ledger(frozenset(options["anchor_wallet"]))
        for line in report.lines:
            self.stdout.write(f"  {line}")
        problems += report.problems
        try:
            comparisons = reconciliation.compare_all()
        except gateway.ChainError as error:
            problems.append(f"the chains cannot be read: {error}")
            comparisons = []
        moved = [one for one in comparisons if one.ledger_units or one.held_units or one.in_flight_units]
        for one in moved:
            ledger, held, in_flight, gas, difference = (
                units.text(one.asset, amount_units, 2)
                for amount_units in (
                    one.ledger_units,
                    one.held_units,
                    one.in_flight_units,
                    one.gas_units,
                    one.difference_units,
                )
            )
            line = f"{one.asset} on {one.network}: ledger {ledger} = wallets {held} + in flight {in_flight}"
            line += f" - gas money {gas}" if one.is_coin else ""
            self.stdout.write(f"  {line}")
            if not one.ok:
                problems.append(f"{line} is off by {difference}")
        self.stdout.write(f"  {len(comparisons) - len(moved)} assets on networks where neither side has anything")
        if problems:
            for problem in problems:
                self.stderr.write(f"  PROBLEM {problem}")
            raise CommandError(f"{len(problems)} of it does not hold")
        self.stdout.write("  everything holds")

    def _hear(self, line: str) -> None:
        """Ten million events take a minute: whoever watches sees how far it is."""
        if self.stderr.isatty():
            self.stderr.write(f"  … {line}", self.style.NOTICE)

    def _ledger(self, wallets: frozenset[str]) -> tuple[audit.Report, list[str]]:
        """The ledger's own proof with the anchors that the chains hold; read again when one has landed meanwhile."""
        problems: list[str] = []
        for _ in range(TRIES):
            before = Anchor.objects.count()
            try:
                public = anchors.public(wallets=wallets)
            except gateway.ChainError as error:
                public, problems = None, [f"the anchors cannot be read: {error}"]
            except addresses.BadAddress as error:
                raise CommandError(f"--anchor-wallet: {error}") from error
            report = audit.prove(anchors=public, hear=self._hear)
            if Anchor.objects.count() == before:
                break
        return report, problems
