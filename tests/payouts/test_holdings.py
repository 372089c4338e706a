"""What came in at deposit addresses, and what of it is in the books."""

import uuid

import pytest

from payouts.payments import addresses, holdings
from payouts.payments.models import DepositAddress
from tests import make
from tests.api import users
from tests.payouts import arrivals


@pytest.mark.django_db
def test_what_came_in_is_told_by_what_became_of_it_and_by_address() -> None:
    users.enrol_keys()
    shop = make.merchant()
    owners = [uuid.uuid4() for _ in range(2)]
    one, other = (addresses.provide(shop, owner=owner, network="tron", now=make.now()) for owner in owners)
    arrivals.came_in("tron", one, 5_000_000)
    arrivals.came_in("tron", one, 1, block_number=8)
    arrivals.came_in("tron", one, 9, asset="", contract="T" * 34)
    arrivals.book()
    arrivals.came_in("tron", other, 7_000_000, block_number=9)
    arrivals.came_in("tron", other, 2_000_000, block_number=10, state="SEEN")
    assert holdings.arrived("tron", "USDT", upto=10) == holdings.Arrived(14_000_001, 9_000_000, 1, 5_000_000)
    assert holdings.arrived("tron", "USDT", upto=9) == holdings.Arrived(12_000_001, 7_000_000, 1, 5_000_000)
    assert holdings.arrived("tron", "USDT", upto=7) == holdings.Arrived(5_000_000, 0, 0, 5_000_000)
    numbers = {row.address: row.number for row in DepositAddress.objects.all()}
    assert holdings.addresses("tron", "USDT") == [
        holdings.Address(numbers[other], other, 9_000_000, 7_000_000),
        holdings.Address(numbers[one], one, 5_000_001, 5_000_001),
    ]
    assert [row.address for row in holdings.addresses("tron", "USDT", among=[one])] == [one]
