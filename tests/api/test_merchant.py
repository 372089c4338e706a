"""The `merchant` API (seed 2)."""

import pytest

from tests import make

pytestmark = pytest.mark.django_db


def test_a_create_answers_the_withdrawal_object_and_freezes_the_amount(redis_clean: str) -> None:
    client = make.client(merchant := make.merchant(funds="1000"))
    answer = client.post(
        "/v1/withdrawals", {"amount": "500.00", "destination_address": make.TRON_ADDRESS, "network": "TRC20"}
    )
    body = answer.json()
    assert answer.status_code == 201, body
    assert body == {
        "id": body["id"],
        "merchant_id": str(merchant.id),
        "amount": "500.00",
        "fee": "1.00",
        "status": "PENDING",
        "destination_address": make.TRON_ADDRESS,
        "network": "TRC20",
        "tx_hash": None,
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
    }
    assert client.get("/v1/balance").json() == {
        "merchant_id": str(merchant.id),
        "available": "500.00",
        "frozen": "500.00",
    }
