"""Where an intent's right to be signed comes from: the signer reads that by itself, and compares the intent with it."""

from collections.abc import Callable, Mapping

from chain import transfers
from chain.models import Intent, Purpose
from payouts import anchors
from payouts.withdrawals import authority

REFUSALS = (authority.NotAuthorised, anchors.NotSealed)
OF: Mapping[Purpose, Callable[[Intent], transfers.Expected]] = {
    Purpose.PAYMENT: lambda intent: authority.authorised(intent.payout_id),
    Purpose.ANCHOR: anchors.expected,
    Purpose.BATCH: authority.authorised_together,
    # These move nothing to anybody else; the signer checks them against its own keys, table and caps.
    Purpose.ALLOWANCE: lambda intent: transfers.Allowance(intent.network, intent.asset),
    Purpose.SWEEP: lambda intent: transfers.Sweep(intent.network, intent.asset),
    Purpose.TOP_UP: lambda intent: transfers.TopUp(intent.network, intent.amount_units),
}


def expected(intent: Intent) -> transfers.Expected:
    """What the intent must say.

    Raises: REFUSALS.
    """
    return transfers.Filler(intent.id) if intent.given_up else OF[Purpose(intent.purpose)](intent)
