"""Invariants 3, 7: whoever takes money in dies at every failpoint on the way; what stayed on chain is credited once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from chain import failpoints
from chain.models import Follower
from ledger import audit, balances
from ledger.accounts import Purpose
from payouts.payments import payments
from payouts.payments.payment_models import Deposit, Payment, PaymentStep, Status
from tests import databases, make
from tests.api import users
from tests.chain import labs
from tests.chain.crash import desk, orders, place
from tests.payouts import arrivals

pytestmark = [pytest.mark.chains, pytest.mark.timeout(300)]
POINTS = {point for point in failpoints.POINTS if point.startswith(("follow", "deposit.", "payment_look."))}


@pytest.fixture(scope="module")
def stage(anvil_url: str, tron_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[place.Stage]:
    """One warm process for all of this file's cases."""
    with place.stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


class Shop:
    """A merchant whose customers pay, one payment per case."""

    def __init__(self, stage: place.Stage, lab: labs.Lab, database: databases.Database, keystore: Path) -> None:
        self.stage, self.lab = stage, lab
        self.merchant = make.merchant()
        self.first = orders.Order(
            database=database.name,
            keystore=str(keystore),
            passphrase_file="",
            network=lab.network,
            path="paid_in",
            merchant=str(self.merchant.id),
            level1=0,
            level2=0,
            key="",
            destination="",
            others=(),
            ahead_s=0,
        )

    def _next(self) -> tuple[orders.Order, Payment]:
        order = payments.Order(self.merchant, "tenant", "USDT", self.lab.network, Decimal(20), timedelta(days=30))
        payment = payments.create(order, now=make.now())
        return replace(self.first, destination=payment.address), payment

    def record(self, seen: Path) -> list[str]:
        """Play it undisturbed, and list the failpoints that it came to."""
        order, payment = self._next()
        assert self.stage.play(replace(order, seen=str(seen))) == 0, self.stage.said()
        assert self.problems(payment) == []
        return seen.read_text().splitlines()

    def crash(self, point: str) -> list[str]:
        """Let a worker die there and another one go on; tell what does not hold in the end."""
        if point.startswith("follow_begin"):
            Follower.objects.all().delete()  # as a person lets it begin anew
        order, payment = self._next()
        status = self.stage.play(replace(order, failpoint=point))
        if status != failpoints.EXIT_STATUS:
            return [f"{point}: not died there but {status}: {self.stage.said()}"]
        if self.stage.play(replace(order, path="paid_in_after")):
            return [f"{point}: {self.stage.said()}"]
        return [f"{point}: {problem}" for problem in self.problems(payment)]

    def problems(self, payment: Payment) -> list[str]:
        """What is wrong with a payment that should be paid by exactly what its address holds on chain."""
        arrived = self.lab.balance(payment.address)
        made = Deposit.objects.filter(payment=payment).values_list("amount_units", flat=True)
        ends = Status.FINISHED if arrived == payment.due_units else Status.OVERPAID
        is_and_must = {
            "status": (arrivals.status(payment), ends),
            "credited": (sum(made), arrived),
            "in the balance": (self._available(), sum(Deposit.objects.values_list("amount_units", flat=True))),
            "ends": (PaymentStep.objects.filter(payment=payment, verb__in=["finish", "overpay"]).count(), len(made)),
        }
        return [f"{what}: {is_}, not {must}" for what, (is_, must) in is_and_must.items() if is_ != must]

    def _available(self) -> int:
        return balances.balance(make.account(self.merchant, Purpose.AVAILABLE)).balance_units


def test_wherever_it_dies_what_stayed_on_chain_is_credited_once(
    committed: databases.Database, stage: place.Stage, lab: labs.Lab, keystore: Path, tron: labs.TronLab, tmp_path: Path
) -> None:
    users.enrol_keys()
    lag = tron.ask("dev/params")["solid_lag"]
    tron.ask("dev/params", solid_lag=desk.DEPTH)
    here = Shop(stage, lab, committed, keystore)
    begun, reached = here.record(tmp_path / "begun"), here.record(tmp_path / "seen")
    assert {point for point in begun if point in POINTS} == POINTS
    # In the middle of its way: how often it comes there depends on the other network's blocks too.
    mine = POINTS if lab is tron else {point for point in POINTS if point.startswith("follow")}  # booking asks no chain
    hits = {point: max(reached.count(point) // 2, 1) for point in sorted(mine)}
    problems = [problem for point, hit in hits.items() for problem in here.crash(f"{point}:{hit}")]
    tron.ask("dev/params", solid_lag=lag)
    assert problems == []
    assert audit.prove().problems == []
