"""A list's total is counted as withdrawals are made: exactly, whoever makes them at once."""

import pytest
from django.db import DatabaseError, transaction

from ledger import posting
from payouts.withdrawals import counts
from payouts.withdrawals.models import Withdrawal
from tests import databases, make
from tests.payouts import crowd


def test_the_count_is_what_counting_finds_after_a_crowd_and_its_refusals(committed: databases.Database) -> None:
    merchant, other = make.merchant(funds="1000"), make.merchant(funds="1000")
    client = make.client(other)

    outcomes = crowd.at_once([lambda: make.withdrawal(merchant, "90")] * 14, refusals=(posting.InsufficientFunds,))
    make.withdrawal(other, "5")
    assert outcomes == {"done": 11, "InsufficientFunds": 3}
    made = Withdrawal.objects.filter(merchant=merchant).count()
    assert counts.of(merchant, api="merchant") == made
    assert counts.of(merchant, api="merchant", channel="") == made
    assert counts.of(merchant, api="public") == 0
    assert client.get("/v1/withdrawals").json()["total"] == 1
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        counts.WithdrawalCount.objects.filter(merchant=merchant).update(number=7)
