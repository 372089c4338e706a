"""What a withdrawal would cost and leave: the one engine behind estimates and behind what is then made."""

from dataclasses import dataclass

from payouts.withdrawals import rules
from payouts.withdrawals.tariffs import Fee


@dataclass(frozen=True, slots=True)
class Estimate:
    """All the amounts of one withdrawal, in the asset's ledger units."""

    requested_units: int
    fee: Fee

    @property
    def net_units(self) -> int:
        """What the recipient gets."""
        return self.requested_units - self.fee.units


def estimate(case: rules.Case) -> Estimate:
    """What asking for the case's amount comes to.

    Raises: rules.NoFeeRule.
    """
    return Estimate(case.amount_units, rules.tariff(case).fee(case.amount_units))


def estimate_final(case: rules.Case) -> Estimate:
    """What has to be asked for so that the recipient gets the case's amount.

    Raises: rules.NoFeeRule.
    """
    tariff = rules.tariff(case)
    requested_units = tariff.requested_units(case.amount_units)
    return Estimate(requested_units, tariff.fee(requested_units))
