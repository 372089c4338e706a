"""What a merchant's main account and its sub-accounts hold: to be spent, on its way, and all together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from ledger import balances
from ledger.accounts import Purpose
from payouts.merchants.models import Merchant
from payouts.subaccounts import transfers

SHOWN = (Purpose.AVAILABLE, Purpose.FROZEN)


@dataclass(frozen=True, slots=True)
class Holding:
    """One owner's part of one asset, in its ledger units."""

    amount_units: int = 0  # what the ledger says may be spent
    pending_units: int = 0  # frozen for open withdrawals, and on its way in
    leaving_units: int = 0  # asked to leave for another account of the merchant's, and still there

    @property
    def available_units(self) -> int:
        """What may be asked for now."""
        return max(self.amount_units - self.leaving_units, 0)


def of(merchant: Merchant, owners: Collection[UUID]) -> Mapping[UUID, Mapping[str, Holding]]:
    """By owner and asset; an asset that an owner never had is left out."""
    wanted = {*owners}
    opened = balances.of_owners(merchant.id, wanted, SHOWN)
    amounts = {(ref.owner, ref.asset, ref.purpose): held.balance_units for ref, held in opened.items()}
    coming, leaving = transfers.coming(merchant), transfers.leaving(merchant)
    found: dict[UUID, dict[str, Holding]] = {owner: {} for owner in wanted}
    keys = {(owner, asset) for owner, asset, _ in amounts} | {key for key in coming if key[0] in wanted}
    for owner, asset in sorted(keys, key=str):
        available, frozen = (amounts.get((owner, asset, purpose), 0) for purpose in SHOWN)
        found[owner][asset] = Holding(available, frozen + coming.get((owner, asset), 0), leaving.get((owner, asset), 0))
    return found
