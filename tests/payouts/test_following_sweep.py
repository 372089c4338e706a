"""The sweeps that take money in: from the chain to the balance by themselves, with what an operator sees of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from chain import alarms
from chain.models import Follower
from payouts import gauges, surveying, tasks, ticks
from payouts.payments import payments
from payouts.payments.payment_models import Status
from tests import make
from tests.api import users
from tests.chain import labs, payers
from tests.payouts import arrivals

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.mark.parametrize("network", ["ethereum", "tron"])
def test_a_customers_payment_comes_from_the_chain_into_the_merchants_balance(
    ethereum: labs.EvmLab, tron: labs.TronLab, network: str
) -> None:
    lab: labs.Lab = ethereum if network == "ethereum" else tron
    users.enrol_keys()
    shop = make.merchant()
    order = payments.Order(shop, "tenant", "USDT", network, Decimal(100), timedelta(hours=1))
    payment = payments.create(order, now=make.now())
    tasks.follow()
    payers.pay(lab, payment.address, make.usdt("100"))
    lab.mine()
    assert tasks.follow() == 2, "both networks had their turn"
    tasks.deposits()
    assert arrivals.status(payment) == Status.CONFIRMING
    labs.finalise(lab)
    tasks.follow()
    assert tasks.deposits() == 1
    assert arrivals.status(payment) == Status.FINISHED
    assert make.holds(shop) == {"available": make.usdt("100"), f"external/{network}": -make.usdt("100")}
    assert tasks.deposits() == 0
    assert {"follow", "deposits"} <= set(ticks.Tick.objects.values_list("sweep", flat=True)) & set(ticks.SWEEPS)
    told = {(one.name, one.labels.get("network")): one.value for one in gauges.read(now=make.now())}
    assert told["sluice_follower_blocks_behind", network] == 0


def test_a_network_that_is_not_read_on_raises_an_alarm_until_it_is(tron: labs.TronLab) -> None:
    arrivals.read_up_to("tron", make.now())
    surveying.survey(now=make.now())
    assert not alarms.standing().filter(kind="follower.behind").exists()
    late = make.now() + timedelta(minutes=10)
    surveying.survey(now=late)
    assert alarms.standing().get(kind="follower.behind").subject == "tron"
    Follower.objects.update(caught_up_at=late)
    surveying.survey(now=late)
    assert not alarms.standing().filter(kind="follower.behind").exists()
