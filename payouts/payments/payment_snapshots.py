"""A payment as it is at one moment, as plain JSON: what answers and webhooks are rendered from."""

from typing import Any

from payouts.payments.payment_models import Payment


def of(payment: Payment) -> dict[str, Any]:
    """Every fact that some API shows; amounts in ledger units as text, moments in ISO 8601."""
    price = payment.price_amount
    return {
        "id": str(payment.id),
        "merchant_id": str(payment.merchant_id),
        "owner": str(payment.owner),
        "asset": payment.asset,
        "network": payment.network,
        "address": payment.address,
        "amount_units": str(payment.amount_units),
        "fee_units": str(payment.fee_units),
        "due_units": str(payment.due_units),
        "received_units": str(payment.received_units),
        "fee_taken_units": str(payment.fee_taken_units),
        "is_fee_paid_by_user": payment.is_fee_paid_by_user,
        "is_fixed_rate": payment.is_fixed_rate,
        "price_amount": None if price is None else f"{price:f}",
        "price_currency": payment.price_currency,
        "rate": None if payment.rate is None else f"{payment.rate:f}",
        "rate_source": payment.rate_source,
        "rate_at": payment.rate_at.isoformat() if payment.rate_at else None,
        "order_id": payment.order_id,
        "description": payment.description,
        "customer_email": payment.customer_email,
        "status": str(payment.status),
        "expires_at": payment.expires_at.isoformat(),
        "created_at": payment.created_at.isoformat(),
        "updated_at": payment.updated_at.isoformat(),
    }
