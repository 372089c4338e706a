"""Ledger against chains while both move. Invariant 2: external = wallets, to the last unit, at one moment."""

from typing import Any

import pytest

from chain import custody, gateway, networks
from payouts import reconciliation
from payouts.merchants.models import Merchant
from tests import make
from tests.chain import labs

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.fixture
def book(tron: labs.TronLab) -> Merchant:
    tron.wallet(units=make.usdt("500"))
    return make.merchant(funds="500")


class Moving:
    """Reads the custody, and the first times somebody settles something meanwhile."""

    def __init__(self, of: Merchant, *, times: int) -> None:
        self.of, self.times, self.calls = of, times, 0
        self.real = custody.held_units

    def held_units(self, network: str, asset: str) -> custody.Held:
        self.calls += 1
        if self.calls <= self.times:
            make.deposit(self.of, "0.000001")
        return self.real(network, asset)


def test_both_sides_agree_to_the_last_unit(book: Merchant) -> None:
    found = reconciliation.compare("tron", "USDT")
    assert (found.ledger_units, found.held_units, found.in_flight_units) == (make.usdt("500"), make.usdt("500"), 0)
    assert found.ok
    make.deposit(book, "0.000001")
    found = reconciliation.compare("tron", "USDT")
    assert (found.ok, found.difference_units) == (False, -1)


def test_a_ledger_that_moved_meanwhile_is_read_again(book: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Moving(book, times=2)
    monkeypatch.setattr(custody, "held_units", moving.held_units)
    found = reconciliation.compare("tron", "USDT")
    assert (moving.calls, found.ledger_units) == (3, make.usdt("500") + 2)


def test_a_ledger_that_never_holds_still_is_not_called_right(book: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "held_units", Moving(book, times=100).held_units)
    with pytest.raises(gateway.Retryable):
        reconciliation.compare("tron", "USDT")


def test_every_asset_of_every_configured_network_is_compared(book: Merchant, ethereum: Any) -> None:
    found = reconciliation.compare_all()
    assert {(one.network, one.asset) for one in found} == {
        (name, asset) for name in ("ethereum", "tron") for asset in networks.network(name).assets
    }
    assert all(one.ok for one in found)
