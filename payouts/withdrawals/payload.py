"""What an approval binds: the exact payload, as one hash."""

import hashlib
import json

from payouts.withdrawals.models import Withdrawal


def payload_hash(withdrawal: Withdrawal) -> bytes:
    """SHA-256 over the withdrawal's id, asset, network, address, amount and fee; 32 bytes."""
    parts = [
        str(withdrawal.id),
        withdrawal.asset,
        withdrawal.network,
        withdrawal.destination,
        int(withdrawal.amount_units),
        int(withdrawal.fee_units),
    ]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest()
