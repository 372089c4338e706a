"""Everybody who has a part in a withdrawal: its merchant's program, the approvers, the workers, the chain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from chain import families, networks
from chain.models import HotWallet, Intent, SignedAttempt
from payouts import operating, rounds, tasks
from payouts.merchants.models import Merchant
from payouts.withdrawals import idempotency, short, steps, withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import deposits, labs
from tests.chain import proxy as proxies
from tests.chain.crash.orders import Order

PAID_IN = "60"
ROUND_S, ROUNDS = 100, 6
DEPTH = 4  # of final blocks, here: fewer to make and to read, and still more than a reorganisation takes back
NOBODY = "http://127.0.0.1:1"


class Clock(datetime):
    """The sweeps' clock, which can be put forward."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """The time, and what was put forward."""
        return datetime.now(tz) + cls.ahead


class Desk:
    """One withdrawal, or several that go together, and what anybody may do about the first or all of them.

    Whatever has been done already is left alone.
    """

    def __init__(self, order: Order) -> None:
        self.network = networks.network(order.network)
        self.merchant = Merchant.objects.get(id=order.merchant)
        self.lab: Any = at(self.network)
        self.destination = order.destination
        self._order = order
        self._ids: list[UUID] = []

    # The merchant's program and the people.

    def ask(self, *, shortly: bool = True) -> None:
        """Ask for the withdrawals by the short or the long way, each with the same key whenever no answer came."""
        self._ids = [self._asked(key, to, amount, shortly) for key, to, amount in self._order.wanted()]

    def _asked(self, key: str, to: str, amount: str, shortly: bool) -> UUID:  # noqa: FBT001 - one of two ways
        wanted = withdrawals.Order(
            merchant=self.merchant,
            api="merchant",
            asset="USDT",
            network=self.network.name,
            destination=to,
            amount_units=make.usdt(amount),
            actor="program",
        )

        ways = short.Ways(
            lambda: short.Wish(wanted) if shortly else None, lambda: withdrawals.create(wanted, now=make.now()), ()
        )
        scope = idempotency.Scope(self.merchant, "withdrawals", key, {"to": to})
        (_, body), _ = short.once(scope, ways, lambda made: (202, {"id": str(made.id)}), now=make.now())
        return UUID(body["id"])

    def withdrawal(self) -> Withdrawal:
        """As it is now."""
        return Withdrawal.objects.get(id=self._ids[0])

    def approve(self, level: int) -> None:
        """One approver's yes, with a fresh code."""
        if steps.allowed(f"approve_l{level}", self.withdrawal().status):
            make.approve(self.withdrawal().id, level=level, by=self._approver(level))

    def reject(self) -> None:
        """An approver's no."""
        if steps.allowed("reject", self.withdrawal().status):
            make.reject(self.withdrawal().id, by=self._approver(2))

    def agree(self) -> None:
        """The merchant's own yes."""
        if steps.allowed("merchant_approve", self.withdrawal().status):
            withdrawals.merchant_approve(self.withdrawal().id, by=By("program"), now=make.now())

    def refuse(self) -> None:
        """The merchant's own no."""
        if steps.allowed("reject", self.withdrawal().status):
            withdrawals.merchant_reject(self.withdrawal().id, by=By("program"), now=make.now())

    def cancel(self) -> None:
        """The merchant calls it back."""
        if steps.allowed("cancel", self.withdrawal().status):
            withdrawals.cancel(self.withdrawal().id, by=By("program"), now=make.now())

    def _approver(self, level: int) -> make.Approver:
        person = {1: self._order.level1, 2: self._order.level2}[level]
        return make.Approver(User.objects.get(id=person), "")

    def pay_in(self) -> None:
        """A customer pays to a deposit address of this order's own, and that is credited."""
        number, name = self._order.number(), self.network.name
        if not HotWallet.deposits.filter(network=name, number=number).exists():
            deposits.tokens(self.lab, deposits.address(name, number), make.usdt(PAID_IN))
            self.mine()
            make.deposit(self.merchant, PAID_IN, network=name)
            deposits.note(name, number, now=make.now() + Clock.ahead)

    def give_up(self) -> None:
        """An operator gives the payment up, unless its bytes are signed."""
        if self.attempt() is None:
            operating.give_up(self._ids[0], by="tests", reason="it cannot be signed", now=make.now() + Clock.ahead)

    # The workers.

    def sweep(self, *names: str) -> None:
        """Run these sweeps once each."""
        for name in names:
            getattr(tasks, name)()

    def wait(self, seconds: float) -> None:
        """Let time pass for the sweeps."""
        Clock.ahead += timedelta(seconds=seconds)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """The network's nodes are not to be reached."""
        urls = getattr(settings, self.network.urls_setting)
        setattr(settings, self.network.urls_setting, [NOBODY])
        try:
            yield
        finally:
            setattr(settings, self.network.urls_setting, urls)

    # The chain.

    def mine(self) -> None:
        """Make blocks until everything in one is final."""
        self.lab.mine(DEPTH + 2)

    def wallet(self) -> HotWallet:
        """The lane."""
        return HotWallet.objects.get(network=self.network.name)

    def intent(self) -> Intent | None:
        """What was ordered from the chain, if it was."""
        return Intent.objects.filter(payout_id=self._ids[0]).first()

    def attempt(self) -> SignedAttempt | None:
        """The newest bytes."""
        return SignedAttempt.objects.filter(intent__payout_id=self._ids[0]).order_by("-number").first()

    def finish(self) -> None:
        """What beat does: all sweeps again and again, with blocks between them."""
        for _ in range(ROUNDS):
            under_way = Withdrawal.objects.filter(id__in=self._ids, status__in=(Status.APPROVED, Status.PROCESSING))
            if not under_way.exists():
                return
            self.wait(ROUND_S)
            self.sweep("dispatch", "sign", "send")
            self.mine()
            self.sweep("watch", "settle")

    def finish_sweeping(self) -> None:
        """The same until no deposit address has anything to be done about it."""
        for _ in range(ROUNDS):
            self.wait(ROUND_S)
            self.sweep("sweep", "sign", "send")
            self.mine()
            self.sweep("watch")
            if not HotWallet.deposits.exclude(look_at=None).exists():
                return


def at(network: networks.Network) -> labs.EvmLab | labs.TronLab:
    """The network's lab, without a proxy before it."""
    url = getattr(settings, network.urls_setting)[0]
    made: dict[str, Callable[[], labs.EvmLab | labs.TronLab]] = {
        "evm": lambda: labs.EvmLab(url, proxy=proxies.Proxy(url)),
        "tron": lambda: labs.TronLab(url),
    }
    return made[network.family]()


def start_clock(ahead_s: int) -> None:
    """From now on the sweeps of this process go by a clock that can be put forward."""
    Clock.ahead = timedelta(seconds=ahead_s)
    for room in (tasks, rounds):
        vars(room)["datetime"] = Clock  # a process of its own, told to live at another time
    families.RECENT_S = 0  # minutes of that clock pass within a second: what was read before them is not recent
