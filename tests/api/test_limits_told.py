"""A limit or an address book that stops a withdrawal is told in each API's own envelope; nothing is frozen."""

from types import ModuleType

import pytest

from payouts.api.extraction import wire as extraction
from payouts.api.invoice import wire as invoice
from payouts.api.merchant import wire as merchant
from payouts.api.public import wire as public
from payouts.api.tenant import wire as tenant
from payouts.withdrawals import limits
from payouts.withdrawals.models import Withdrawal
from payouts.withdrawals.rule_models import LimitRule
from tests import make

STOPS = (limits.PaymentLimitExceeded, limits.WindowLimitExceeded, limits.NotInAddressBook)
BODY = {"amount": "100", "destination_address": make.TRON_ADDRESS, "network": "TRC20"}


@pytest.mark.parametrize("wire", [extraction, invoice, merchant, public, tenant], ids=lambda wire: str(wire.API))
def test_every_api_has_words_for_each_limit(wire: ModuleType) -> None:
    told = [wire.error_of(stop("limits")) for stop in STOPS]
    assert {status for status, _ in told} <= {400, 422}
    assert len({str(words) for _, words in told}) == len(STOPS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"asset": "USDT", "payment_units": 99_999_999}, "amount exceeds the limit of one withdrawal"),
        ({"window_hours": 1, "window_count": 0}, "withdrawal limit exceeded"),
        ({"book_only": True}, "destination address is not in the address book"),
    ],
)
def test_a_create_over_a_limit_is_refused_and_nothing_is_frozen(what: dict[str, int], words: str) -> None:
    of = make.merchant(funds="1000")
    make.ruled(LimitRule(merchant=of, **what))
    answer = make.client(of).post("/v1/withdrawals", BODY)
    assert (answer.status_code, answer.json()) == (400, {"error": words})
    assert not Withdrawal.objects.exists()
    assert "frozen" not in make.holds(of)
