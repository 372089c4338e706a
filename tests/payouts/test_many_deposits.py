"""Ten thousand transfers in a row: every one is credited once, and none that did not stay."""

from datetime import timedelta
from decimal import Decimal

import pytest

from chain.models import Incoming
from ledger import audit
from payouts import tasks
from payouts.payments import payments
from payouts.payments.payment_models import Deposit, Status
from tests import make
from tests.api import users
from tests.chain import bulk, labs
from tests.payouts import arrivals

EACH, TRANSACTIONS, TAKEN_BACK = 1_000, 10, 3


@pytest.mark.django_db
@pytest.mark.chains
def test_ten_thousand_transfers_are_each_credited_once_and_none_that_did_not_stay(ethereum: labs.EvmLab) -> None:
    users.enrol_keys()
    shop = make.merchant()
    order = payments.Order(shop, "tenant", "USDT", "ethereum", Decimal(100), timedelta(hours=1))
    asked = [payments.create(order, now=make.now()) for _ in range(TRANSACTIONS)]
    tasks.follow()
    with bulk.telling(ethereum):
        for payment in asked:
            bulk.tell(ethereum, payment.address, EACH)
            ethereum.mine()
        tasks.follow()
        assert Incoming.objects.filter(state="SEEN").count() == EACH * TRANSACTIONS
        ethereum.orphan(TAKEN_BACK)
        for payment in asked[-TAKEN_BACK + 1 :]:
            bulk.tell(ethereum, payment.address, EACH)
            ethereum.mine()
        labs.finalise(ethereum)
    tasks.follow()
    assert tasks.deposits() > 0
    while tasks.deposits():
        pass
    stayed = TRANSACTIONS - 1
    assert Deposit.objects.filter(status="CREDITED").count() == EACH * stayed == Incoming.objects.count()
    total = bulk.told_units(EACH) * stayed
    assert make.holds(shop) == {"available": total, "external/ethereum": -total}
    lost = asked[-TAKEN_BACK]
    assert [arrivals.status(one) for one in asked] == [
        Status.WAITING if one == lost else Status.OVERPAID for one in asked
    ]
    assert audit.prove().problems == []
