"""A withdrawal as it is at one moment, as plain JSON: what webhooks tell and are rendered from."""

from typing import Any

from payouts.withdrawals.models import Withdrawal


def of(withdrawal: Withdrawal) -> dict[str, Any]:
    """Every fact that some API's webhook needs; amounts in ledger units as text, moments in ISO 8601."""
    return {
        "id": str(withdrawal.id),
        "merchant_id": str(withdrawal.merchant_id),
        "asset": withdrawal.asset,
        "network": withdrawal.network,
        "destination": withdrawal.destination,
        "amount_units": str(int(withdrawal.amount_units)),
        "fee_units": str(int(withdrawal.fee_units)),
        "platform_units": str(int(withdrawal.platform_units)),
        "net_units": str(int(withdrawal.net_units)),
        "requested_units": str(withdrawal.requested_units),
        "user_id": withdrawal.user_wallet.user_id if withdrawal.user_wallet else None,
        "custom_id": withdrawal.custom_id,
        "price": withdrawal.price,
        "approval": str(withdrawal.approval),
        "status": str(withdrawal.status),
        "txid": withdrawal.txid,
        "reason": withdrawal.reason,
        "created_at": withdrawal.created_at.isoformat(),
        "updated_at": withdrawal.updated_at.isoformat(),
    }
