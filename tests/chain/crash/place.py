"""Where a path's cases are played: a merchant with money, a funded wallet, a stage; and what must hold after each."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.test.utils import override_settings

from chain import failpoints, keys, liquidity, transfers
from chain.evm import batches
from chain.models import HotWallet, Intent
from ledger import audit, posting
from ledger.accounts import Purpose
from payouts import reconciliation
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import PolicyRule, Status, Withdrawal
from tests import databases, make, services
from tests.chain import labs, steps
from tests.chain.crash import desk, orders, paths

FUNDS = "1000000"
REFRESH = 20  # cases whose fees a lane surely has


class Stage:
    """The warm process, as its users see it."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def play(self, order: orders.Order) -> int:
        """The exit status of a worker that lived by this order."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(order.text() + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the stage is gone: {self.said()}"
        return int(answer)

    def said(self) -> str:
        """The end of what its workers wrote to stderr."""
        return self._errors.read_text()[-3000:]


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A stage with this process's services."""
    errors = folder / "stage.err"
    command = [sys.executable, "-m", "tests.chain.crash.stage"]
    env = os.environ | {"LOG_LEVEL": "WARNING"}
    pipe = subprocess.PIPE
    with (
        errors.open("w") as err,
        subprocess.Popen(  # noqa: S603 - ours
            command, cwd=services.ROOT, env=env, stdin=pipe, stdout=pipe, stderr=err, text=True
        ) as process,
    ):
        try:
            yield Stage(process, errors)
        finally:
            assert process.stdin
            process.stdin.close()


@dataclass
class Place:
    """One network with one merchant; the paths are played one after another."""

    stage: Stage
    lab: labs.Lab
    first: orders.Order
    merchant: Merchant
    wallet: HotWallet
    name: str = ""
    played: int = 0
    swept: int = 0  # deposits
    ended: Counter[str] = field(default_factory=Counter)

    @property
    def path(self) -> paths.Path:
        return paths.PATHS[self.name]

    def record(self, name: str, seen: Path) -> list[str]:
        """Take a path, play it undisturbed, and list the failpoints that it came to, as "name:hit", in their order."""
        self.name = name
        for row in PolicyRule.objects.filter(merchant=self.merchant):
            make.unruled(row)
        make.policy(self.merchant, self.path.approval)
        if self.path.batched:
            self._allow_batches()
        order = self._next()
        assert self.stage.play(replace(order, seen=str(seen))) == 0, self.stage.said()
        problems = self.problems(order)
        assert not problems, f"{problems} {self.stage.said()}"
        hits: Counter[str] = Counter()
        found = []
        for point in seen.read_text().splitlines():
            hits[point] += 1
            found.append(f"{point}:{hits[point]}")
        return found

    def _allow_batches(self) -> None:
        """The batch contract is there, and may move the wallet's tokens."""
        assert isinstance(self.lab, labs.EvmLab)
        self.lab.rpc("anvil_setCode", paths.BATCH_CONTRACT, "0x" + batches.artifact()["runtime"])
        wanted = transfers.Allowance(self.lab.network, "USDT")
        with override_settings(BATCH_CONTRACTS={self.lab.network: paths.BATCH_CONTRACT}):
            allowance = transfers.order_allowance(wanted, now=make.now())
            assert allowance
            assert transfers.sign(allowance.id, expected=wanted, now=make.now())
            steps.send()
            labs.finalise(self.lab)
            assert steps.watch(allowance, after_s=60).state == "PAID"

    def crash(self, point: str, *, naive: bool = False) -> list[str]:
        """Let a worker die there and another one go on; tell what does not hold in the end."""
        order = replace(self._next(), naive=naive)
        status = self.stage.play(replace(order, failpoint=point))
        if status != failpoints.EXIT_STATUS:
            return [f"{point}: not died there but {status}: {self.stage.said()}"]
        status = self.stage.play(replace(order, finish=True, ahead_s=order.ahead_s + orders.EPISODE_S // 2))
        problems = [f"the restarted worker ended with {status}: {self.stage.said()}"] if status else []
        return [f"{point}: {problem}" for problem in problems + self.problems(order)]

    def _next(self) -> orders.Order:
        self.played += 1
        if self.played % REFRESH == 0:
            liquidity.refresh(self.lab.network, now=make.now())
        return replace(
            self.first,
            path=self.name,
            key=f"{self.name} {self.played}",
            destination=labs.recipient(self.lab.network),
            others=tuple((labs.recipient(self.lab.network), amount) for amount, _ in self.path.others),
            batch_contract=paths.BATCH_CONTRACT if self.path.batched else "",
            ahead_s=self.played * orders.EPISODE_S,
        )

    def problems(self, order: orders.Order) -> list[str]:
        """What is wrong with a withdrawal that should have ended as its path does: one effect or one refund."""
        if self.path.after:
            self.path.after(self.lab, self.wallet.address)
        if self.path.ends is None:
            return self._problems_of_sweep(order)
        ends = [self.path.ends, *(status for _, status in self.path.others)]
        problems = [
            problem
            for (_, to, _), status in zip(order.wanted(), ends, strict=True)
            for problem in self._problems_of_one(to, status)
        ]
        is_and_must = {
            "left the wallet": (self._spent(), self._completed("net_units")),
            "in the book": (make.holds(self.merchant), self._book()),
        }
        return problems + [f"{what}: {is_}, not {must}" for what, (is_, must) in is_and_must.items() if is_ != must]

    def _problems_of_one(self, to: str, status: Status) -> list[str]:
        """What is wrong with the withdrawal to that destination, which should have ended so."""
        made = Withdrawal.objects.filter(destination=to)
        if len(made) != 1:
            return [f"{len(made)} withdrawals"]
        (withdrawal,) = made
        problems = []
        if withdrawal.status != status:
            intent = Intent.objects.filter(payout_id=withdrawal.id).first()
            problems = [f"{withdrawal.status}, not {status} ({intent and intent.last_error})"]
        self.ended[withdrawal.status] += 1
        arrives = int(withdrawal.net_units) if status == Status.COMPLETED else 0
        arrived = self.lab.balance(to)
        return problems if arrived == arrives else [*problems, f"arrived: {arrived}, not {arrives}"]

    def _problems_of_sweep(self, order: orders.Order) -> list[str]:
        """What is wrong with a deposit address that should be empty, by one top-up and one sweep that were made."""
        self.swept += 1
        lane = HotWallet.deposits.get(network=order.network, number=order.number())
        moved = Intent.objects.filter(Q(wallet=lane) | Q(to_address=lane.address)).exclude(contract="", wallet=lane)
        is_and_must = {
            "moved": (sorted(moved.values_list("purpose", "state")), [("sweep", "PAID"), ("topup", "PAID")]),
            "left there": (self.lab.balance(lane.address), 0),
            "left the wallet": (self._spent(), self._completed("net_units")),
            "in the book": (make.holds(self.merchant), self._book()),
        }
        return [f"{what}: {is_}, not {must}" for what, (is_, must) in is_and_must.items() if is_ != must]

    def proof(self) -> list[str]:
        """What the books and their comparison with the chain do not hold."""
        compared = reconciliation.compare(self.lab.network, "USDT")
        off = [] if compared.ok and not compared.in_flight_units else [str(compared)]
        return [*audit.prove().problems, *off]

    def _came_in(self) -> int:
        return make.usdt(FUNDS) + self.swept * make.usdt(desk.PAID_IN)

    def _spent(self) -> int:
        return self._came_in() - self.lab.balance(self.wallet.address)

    def _completed(self, field: str) -> int:
        rows = Withdrawal.objects.filter(merchant=self.merchant, status=Status.COMPLETED)
        assert len(rows) == self.ended[Status.COMPLETED]
        return sum(int(getattr(row, field)) for row in rows)

    def _book(self) -> dict[str, int]:
        """What the merchant's book must hold after all that ended so far."""
        must = {
            "available": self._came_in() - self._completed("amount_units"),
            "fees": self._completed("fee_units"),
            f"external/{self.lab.network}": self._completed("net_units") - self._came_in(),
        }
        return {name: units for name, units in must.items() if units}


def build(stage: Stage, lab: labs.Lab, database: databases.Database) -> Place:
    """A merchant, two approvers and a wallet with the merchant's money in it."""
    merchant = make.merchant()
    keys.deposit_xpub(lab.network, light=True)
    make.deposit(merchant, FUNDS, network=lab.network)
    with transaction.atomic():  # opens it: whoever freezes first goes another way than those after him
        posting.lock([make.account(merchant, Purpose.FROZEN)])
    wallet = lab.wallet(units=make.usdt(FUNDS))
    first = orders.Order(
        database=database.name,
        keystore=str(settings.KEYSTORE_DIR),
        passphrase_file=str(settings.KEYSTORE_PASSPHRASE_FILE),
        network=lab.network,
        path="",
        merchant=str(merchant.id),
        level1=make.approver(1).person.pk,
        level2=make.approver(2).person.pk,
        key="",
        destination="",
        others=(),
        ahead_s=0,
    )
    return Place(stage, lab, first, merchant, wallet)
