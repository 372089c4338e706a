"""Ledger against chain while deposits, sweeps and withdrawals move. Invariant 2: to the last unit, at every step."""

import os
import random
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from chain import following, incoming, keys, networks, transfers
from chain.models import HotWallet, Incoming, Intent, IntentState
from ledger import audit
from payouts import reconciliation, rights
from payouts.payments import addresses, wallets
from payouts.payments import deposits as booking
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import deposits, labs, payers

pytestmark = [pytest.mark.django_db, pytest.mark.chains]
FUNDS = "1000"
SEEDS = [int(seed) for seed in os.environ.get("CUSTODY_SEEDS", "1").split(",")]
STEPS = 24


class Bank:
    """A merchant with users who pay in and take out, and all the sweeps that have to do with their money."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.network, self.now = lab, lab.network, timezone.now()
        self.hot = lab.wallet(units=make.usdt(FUNDS))
        self.merchant = make.merchant()
        make.deposit(self.merchant, FUNDS, network=self.network)
        path, xpub = keys.deposit_xpub(self.network, light=True)
        addresses.enrol(self.network, path=path, xpub=xpub, now=self.now)
        users = [
            wallets.generate(self.merchant, f"user-{number}", details={}, networks=[self.network], now=self.now)
            for number in range(3)
        ]
        self.addresses = [user.addresses[self.network] for user in users]
        self.follow()

    def pay(self, units: int, *, to: int = 0, asset: str = "USDT") -> None:
        """A user pays in; it waits for a block."""
        payers.pay(self.lab, self.addresses[to], units, asset=asset)

    def follow(self) -> None:
        """Read the blocks."""
        following.follow(self.network, ours=addresses.ours, now=self.later())

    def book(self) -> None:
        """Take what is final into the books."""
        booking.book_together(incoming.to_collect(limit=100), now=self.later())

    def withdraw(self, amount: str = "7") -> Withdrawal:
        """Somebody is paid out."""
        made = make.nodded(self.merchant, amount, network=self.network, destination=labs.recipient(self.network))
        return withdrawals.dispatch(made.id, now=self.later())

    def sweep(self) -> None:
        """Order what is due."""
        transfers.refresh_due(now=self.later())
        transfers.sweep_due(now=self.now, limit=9)

    def sign(self) -> None:
        """The signer's turn."""
        for intent in transfers.awaiting_signature(limit=100, now=self.later()):
            transfers.sign(intent.id, expected=rights.expected(intent), now=self.now)

    def send(self) -> None:
        """The sender's turn."""
        transfers.send_due(now=self.later(), limit=100)

    def mine(self) -> None:
        """A block."""
        self.lab.mine()

    def finalise(self) -> None:
        """Many."""
        labs.finalise(self.lab)

    def watch(self) -> None:
        """The watcher's turn."""
        transfers.watch_due(now=self.later(), limit=100)

    def settle(self) -> None:
        """Verdicts into the books."""
        for verdict in transfers.verdicts(limit=100):
            withdrawals.settle(verdict, now=self.later())

    def all(self) -> None:
        """Everything once, as beat does."""
        for turn in (self.sweep, self.sign, self.send, self.finalise, self.watch, self.settle, self.follow, self.book):
            turn()

    def later(self) -> datetime:
        self.now += deposits.LATER
        return self.now

    def compare(self, asset: str = "USDT") -> reconciliation.Comparison:
        if self.network == "tron":  # whose old states nobody shows: the follower must have seen the solid head
            self.follow()
        return reconciliation.compare(self.network, asset)


@pytest.fixture
def bank(lab: labs.Lab, redis_clean: str) -> Bank:
    return Bank(lab)


def test_money_on_deposit_addresses_is_ours_from_when_it_is_booked_and_not_before(bank: Bank) -> None:
    bank.pay(make.usdt("60"))
    bank.mine()
    assert (bank.compare().ok, bank.compare().held_units) == (True, make.usdt(FUNDS))
    bank.finalise()
    bank.follow()
    assert bank.compare().ok
    bank.book()
    found = bank.compare()
    assert (found.ok, found.deposits_units, found.arriving_units) == (True, make.usdt("60"), 0)
    bank.pay(make.usdt("5"))
    bank.mine()
    bank.follow()
    bank.mine()
    found = bank.compare()
    if bank.network == "ethereum":  # TRON shows what is solid alone
        assert found.arriving_units == make.usdt("5")
    assert found.ok
    for _ in range(4):
        bank.all()
        assert bank.compare().ok
    assert bank.compare().deposits_units == 0
    assert bank.lab.balance(bank.hot.address) == make.usdt(FUNDS) + make.usdt("65")


def test_dust_stays_out_of_the_books_and_the_comparison_says_so(bank: Bank) -> None:
    bank.pay(1)
    bank.pay(make.usdt("60"))
    for _ in range(4):
        bank.all()
    found = bank.compare()
    assert (found.ok, found.unbooked_units) == (True, 1)
    assert bank.lab.balance(bank.hot.address) == make.usdt(FUNDS) + make.usdt("60") + 1


def test_a_unit_that_is_missing_is_seen_wherever_it_was(bank: Bank) -> None:
    bank.pay(make.usdt("60"))
    bank.finalise()
    bank.follow()
    bank.book()
    assert bank.compare().ok
    make.deposit(bank.merchant, "0.000001", network=bank.network)
    assert bank.compare().difference_units == -1


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_mixture_of_deposits_sweeps_and_withdrawals_ledger_and_chain_agree(bank: Bank, seed: int) -> None:
    chance = random.Random(seed)
    coin = networks.network(bank.network).coin
    turns: list[Any] = [
        lambda: bank.pay(chance.choice([1, 5_000_000, 60_000_000, 75_000_001]), to=chance.randrange(3)),
        lambda: bank.pay(10**16 if coin == "ETH" else 40_000_000, to=chance.randrange(3), asset=coin),
        lambda: bank.withdraw(chance.choice(["5", "7.5"])),
        bank.all, bank.sweep, bank.sign, bank.send, bank.mine, bank.finalise, bank.watch, bank.settle, bank.book,
        bank.follow,
    ]  # fmt: skip
    for step in range(STEPS):
        chance.choice(turns)()
        found = bank.compare()
        assert found.ok, (step, found)
    for _ in range(12):
        bank.all()
    assert not Intent.objects.exclude(state=IntentState.PAID).exists()
    assert not Incoming.objects.filter(collected_at=None).exists()
    assert not HotWallet.deposits.exclude(look_at=None).exists()
    assert {row.status for row in Withdrawal.objects.all()} <= {Status.COMPLETED}
    assert [bank.compare("USDT").ok, bank.compare(coin).ok] == [True, True]
    assert audit.prove().problems == []
