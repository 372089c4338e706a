"""Deposits are read from every block: each comes in once, none that did not stay is confirmed."""

import pytest

from chain.models import FollowedBlock, Follower, Incoming
from tests.chain import labs
from tests.chain.payers import Customers, rows

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.mark.parametrize("asset", ["USDT", "coin"])
def test_what_came_in_is_seen_at_once_and_confirmed_at_the_networks_depth(lab: labs.Lab, asset: str) -> None:
    name = {"tron": "TRX", "ethereum": "ETH"}[lab.network] if asset == "coin" else asset
    customers = Customers(lab)
    txid = customers.pay(7_000_000, asset=name)
    lab.mine()
    customers.follow()
    assert rows() == [(txid, 7_000_000, "SEEN")]
    lab.mine(labs.FINAL[lab.network] - 2)
    customers.follow()
    assert rows() == [(txid, 7_000_000, "SEEN")]
    lab.mine(2)
    customers.follow()
    assert rows() == [(txid, 7_000_000, "CONFIRMED")]
    row = Incoming.objects.get()
    assert (row.asset, row.recipient) == (name, customers.addresses[0])
    follower = Follower.objects.get()
    assert follower.final_number == min(FollowedBlock.objects.values_list("number", flat=True))
