"""The merchant's own yes: only where policy leaves it to the merchant, and enough for the signer there."""

import pytest

from chain import addresses
from payouts import tasks
from payouts.merchants.models import Merchant
from payouts.withdrawals import authority, withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal
from tests import make

pytestmark = pytest.mark.django_db
MERCHANT = By("mk_test")


def left_to_the_merchant(of: Merchant, **changes: str) -> Withdrawal:
    make.policy(of, Approval.MERCHANT)
    return make.withdrawal(of, **changes)


def test_screening_leaves_it_to_the_merchant_whose_yes_the_signer_takes() -> None:
    made = left_to_the_merchant(make.merchant(funds="1000"))
    tasks.screen()
    made.refresh_from_db()
    assert made.status == Status.PENDING

    approved = withdrawals.merchant_approve(made.id, by=MERCHANT, now=make.now())
    assert approved.status == Status.APPROVED
    make.lane("tron")
    withdrawals.dispatch(made.id, now=make.now())
    assert authority.authorised(made.id).amount_units == make.usdt("99")


@pytest.mark.parametrize("asked", [Approval.NONE, Approval.ONE_LEVEL, Approval.TWO_LEVELS])
def test_where_policy_asks_others_the_merchants_yes_changes_nothing(asked: Approval) -> None:
    merchant = make.merchant(funds="1000")
    make.policy(merchant, asked)
    made = make.withdrawal(merchant)
    with pytest.raises(withdrawals.NotTheMerchants):
        withdrawals.merchant_approve(made.id, by=MERCHANT, now=make.now())
    made.refresh_from_db()
    assert made.status == Status.PENDING


def test_an_address_that_cannot_be_paid_is_not_approved_by_the_merchant_either() -> None:
    test_mode = make.merchant(funds="1000", mode=Merchant.Mode.TEST)
    made = left_to_the_merchant(test_mode, destination="TXyz1234567890abcdefghijklmnopqrst")
    with pytest.raises(addresses.BadAddress):
        withdrawals.merchant_approve(made.id, by=MERCHANT, now=make.now())
    made.refresh_from_db()
    assert made.status == Status.PENDING
