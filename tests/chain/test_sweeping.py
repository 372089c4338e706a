"""Deposits into the hot wallet: coin first, then the sweep, each once, whatever arrives or fails meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from chain import alarms, costs, custody, keys, lanes, networks, pausing, transfers
from chain.models import HotWallet, Intent, IntentState, SignedAttempt, SweepRule
from tests import databases
from tests.chain import deposits, labs, steps
from tests.chain.test_ordering import together

pytestmark = pytest.mark.chains

HOT, PAID = 5_000_000, 100_000_000




@pytest.mark.django_db
def test_tokens_on_a_deposit_address_come_into_the_hot_wallet_with_its_coin(lab: labs.Lab) -> None:
    hot = lab.wallet(units=HOT)
    lane, house = deposits.paid(lab, 7, units=PAID), deposits.house(lab)
    house.run()
    (top_up,), (sweep,) = house.intents("topup"), house.intents("sweep")
    assert (top_up.wallet, top_up.to_address, top_up.state) == (hot, lane.address, IntentState.PAID)
    assert (sweep.wallet_id, sweep.to_address, sweep.seq) == (lane.pk, hot.address, sweep.seq)
    assert (sweep.state, sweep.amount_units) == (IntentState.PAID, PAID)
    assert (lab.balance(lane.address), lab.balance(hot.address)) == (0, HOT + PAID)
    assert HotWallet.deposits.get().look_at is None
