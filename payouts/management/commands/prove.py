"""Prove that the ledger holds together and agrees with the chains; exits 0 only if all of it holds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chain import gateway, units
from ledger import audit
from payouts import reconciliation


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        report = audit.prove()
        for line in report.lines:
            self.stdout.write(f"  {line}")
        problems = list(report.problems)
        try:
            comparisons = reconciliation.compare_all()
        except gateway.ChainError as error:
            problems.append(f"the chains cannot be read: {error}")
            comparisons = []
        for one in comparisons:
            ledger, held, in_flight, difference = (
                units.text(one.asset, amount_units, 2)
                for amount_units in (one.ledger_units, one.held_units, one.in_flight_units, one.difference_units)
            )
            line = f"{one.asset} on {one.network}: ledger {ledger} = wallets {held} + in flight {in_flight}"
            self.stdout.write(f"  {line}")
            if not one.ok:
                problems.append(f"{line} is off by {difference}")
        if problems:
            for problem in problems:
                self.stderr.write(f"  PROBLEM {problem}")
            raise CommandError(f"{len(problems)} of it does not hold")
        self.stdout.write("  everything holds")
