"""One run: stand everything up, pay while the schedule breaks it, wait for the end, audit the chains."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chain import networks
from config.local import ports, stack
from tests.chain import proxy
from tests.chaos import audit, naive, nodes, orders, schedule
from tests.chaos.books import Books
from tests.chaos.faults import Breaker
from tests.chaos.orders import Order
from tests.flows import house
from tests.flows.house import House

PATIENCE_S = 60.0  # from the end of the faults to the end of everything
LATE_S = 180.0  # then how long it is seen whether what is stuck ends by itself
TOLD_EVERY_S, LOOK_S = 4.0, 0.5
LANE_UNITS = 10**12
PER_ORDER_S = 0.72
FED = 0.75  # of the schedule's time
CALLS_PER_KEY_S = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for on the command line."""

    each: int
    seed: int
    networks: tuple[str, ...] = ("ethereum", "tron")
    is_naive: bool = False
    every_s: float = schedule.EVERY_S
    lanes: int = 2  # hot wallets on each network
    shortest_s: float = 30.0

    @property
    def duration_s(self) -> float:
        """How long things break."""
        return max(self.shortest_s, self.each * PER_ORDER_S)


@dataclass(slots=True)
class Result:
    """What a run found."""

    found: dict[str, audit.Findings]
    done: Counter[str]
    missed: Counter[str]
    finished_s: dict[str, float]  # from the end of the faults, by network; inf: never
    problems: list[str] = field(default_factory=list)  # what else does not hold

    @property
    def ok(self) -> bool:
        """Whether nothing was paid twice, lost or stuck, and everything else holds too."""
        return all(one.ok for one in self.found.values()) and not self.problems


@dataclass
class Stage:
    """A house whose nodes stand behind proxies."""

    home: House
    nodes: dict[str, nodes.Node]
    proxies: dict[str, list[proxy.Proxy]]


@contextmanager
def staged(folder: Path, names: Sequence[str]) -> Iterator[Stage]:
    """Stand it up, and take it down."""
    kept = ports.keep(folder / "local" / "ports.json", list(stack.SERVICES))
    service = {row.name: name for name, row in zip(stack.SERVICES, _rows(), strict=True) if row}
    direct = {name: f"http://127.0.0.1:{kept[service[name]]}" for name in names}
    with ExitStack() as opened:
        proxies = {
            name: [opened.enter_context(proxy.before(url, keep_alive=True)) for _ in range(schedule.ENDPOINTS)]
            for name, url in direct.items()
        }
        told = [
            f"{networks.network(name).urls_setting}={','.join(one.url for one in them)}"
            for name, them in proxies.items()
        ]
        home = opened.enter_context(house.standing(folder, program=("-m", "tests.chaos.up", *told)))
        yield Stage(home, {name: nodes.NODES[name](name, url) for name, url in direct.items()}, proxies)


def _rows() -> Iterator[networks.Network | None]:
    """The network of each local service, in their order."""
    by_variable = {row.urls_setting: row for row in networks.NETWORKS.values()}
    return (by_variable.get(service.VARIABLE) for service in stack.SERVICES.values())


class Ours:
    """The house itself, ordered from over its merchant API."""

    def __init__(self, stage: Stage, wanted: Sequence[Order], options: Options, stopped: Callable[[], bool]) -> None:
        self.stage, self.books = stage, Books(stage.home)
        home = stage.home
        self.wanted = wanted
        for _ in range(options.lanes - 1):
            self._add_lanes(options.networks)
            home.must("sandbox", "--json")  # the ledger hears of the new money
        number = int(len(wanted) / (options.duration_s * FED) / CALLS_PER_KEY_S) + 2
        keys = json.loads(home.must_run("-m", "tests.chaos.stage", home.sandbox["merchant_id"], str(number)))
        self.feeder = orders.Feeder(home.base_url, keys, wanted, stopped)
        self.wallets: Mapping[str, Sequence[str]] = self.books.wallets()
        self.run, self.counts, self.entries = self.feeder.run, self.books.counts, self.books.entries

    def _add_lanes(self, names: Sequence[str]) -> None:
        made = self.stage.home.must("hot_wallet", "--light", "--network", *names, SLUICE_ROLE="signer").split()
        for name, wallet in zip(names, made, strict=True):
            node = self.stage.nodes[name]
            naive.fund(name, node.url, wallet, units=LANE_UNITS)
            if isinstance(node, nodes.TronNode):  # the ledger is told of what is solid
                funded = node.head()
                house.until(lambda: node.is_solid(funded) or None, what="the new lane's money to be solid")  # noqa: B023 - at once

    def problems(self, found: Mapping[str, audit.Findings]) -> list[str]:
        """What the house's own proofs do not say."""
        problems = []
        for command in (("prove",), ("chain", "audit")):
            done = self.stage.home.manage(*command)
            if done.returncode:
                problems.append(f"manage.py {' '.join(command)}: {done.stderr.strip()[-1500:]}")
        refunded = sum(one.refunded for one in found.values())
        if self.books.alarmed() < refunded:
            problems.append(f"{refunded} refunds, but {self.books.alarmed()} alarms")
        return problems


class Naive:
    """The rule that pays twice, with wallets of its own, beside an idle house."""

    def __init__(self, stage: Stage, wanted: Sequence[Order], options: Options, stopped: Callable[[], bool]) -> None:
        self.wanted = wanted
        self.payers = {
            name: naive.Payer(
                name,
                stage.nodes[name].url,
                [one.url for one in stage.proxies[name]],
                [order for order in wanted if order.network == name],
                stopped,
            )
            for name in options.networks
        }
        for payer in self.payers.values():
            payer.fund()
        self.wallets: Mapping[str, Sequence[str]] = {name: payer.wallets for name, payer in self.payers.items()}

    def run(self) -> None:
        """All networks at once."""
        with ThreadPoolExecutor(len(self.payers)) as at_once:
            list(at_once.map(naive.Payer.run, self.payers.values()))

    def counts(self) -> Mapping[str, Counter[str]]:
        """What it believes."""
        return {
            name: Counter(entry.status for entries in list(payer.paid.values()) for entry in entries)
            for name, payer in self.payers.items()
        }

    def entries(self) -> Mapping[str, Sequence[audit.Entry]]:
        """The same, by recipient."""
        return {to: entries for payer in self.payers.values() for to, entries in payer.paid.items()}

    def problems(self, found: Mapping[str, audit.Findings]) -> list[str]:  # noqa: ARG002 - as the house has it
        """It proves nothing."""
        return []


@dataclass
class Run:
    """One run, and what it tells while it goes on."""

    options: Options
    say: Callable[[str], None]
    begun_s: float = 0.0
    told_s: float = 0.0

    def go(self, stage: Stage) -> tuple[Result, Ours | Naive]:
        """Pay, break, wait, audit."""
        options, over = self.options, threading.Event()
        within_s = options.duration_s * FED
        wanted = orders.orders(options.seed, options.networks, each=options.each, within_s=within_s)
        faults = schedule.plan(options.seed, options.networks, duration_s=options.duration_s, every_s=options.every_s)
        payer = (Naive if options.is_naive else Ours)(stage, wanted, options, over.is_set)
        breaker = Breaker(stage.home, stage.nodes, stage.proxies, payer.wallets)
        self.say(f"{len(wanted)} payments, {len(faults)} faults in {options.duration_s:.0f} s, seed {options.seed}")
        self.begun_s = time.monotonic()
        with ThreadPoolExecutor(2) as both:
            paying, breaking = both.submit(payer.run), both.submit(breaker.run, faults)
            try:
                while not breaking.done():
                    self._tell(payer.counts(), breaker)
                    time.sleep(LOOK_S)
                breaking.result()
                finished_s = self._finished(payer, breaker)
            finally:
                over.set()
        paying.result()
        if isinstance(payer, Ours):  # its proofs need the witnesses that the last faults made look bad
            house.until(lambda: payer.books.all_endpoints_taken() or None, what="every endpoint to be taken again")
        found = {name: _audited(stage.nodes[name], wanted, payer) for name in options.networks}
        return Result(found, breaker.done, breaker.missed, finished_s, payer.problems(found)), payer

    def _finished(self, payer: Ours | Naive, breaker: Breaker) -> dict[str, float]:
        """When each network had nothing open any more, from the end of the faults on; what is late is waited for."""
        ended_s, finished_s = time.monotonic(), dict.fromkeys(self.options.networks, float("inf"))
        self.say(f"{self._now()}  the faults are over")
        while float("inf") in finished_s.values() and time.monotonic() < ended_s + PATIENCE_S + LATE_S:
            counts = payer.counts()
            self._tell(counts, breaker)
            for name, status in counts.items():
                ended = status[audit.COMPLETED] + sum(status[one] for one in audit.REFUNDED)
                if ended == self.options.each and finished_s.get(name) == float("inf"):
                    finished_s[name] = time.monotonic() - ended_s
            time.sleep(LOOK_S)
        return finished_s

    def _tell(self, counts: Mapping[str, Counter[str]], breaker: Breaker) -> None:
        if time.monotonic() - self.told_s < TOLD_EVERY_S:
            return
        self.told_s = time.monotonic()
        parts = []
        for name in self.options.networks:
            status = counts.get(name, Counter())
            refunded = sum(status[one] for one in audit.REFUNDED)
            open_now = status.total() - status[audit.COMPLETED] - refunded
            parts.append(
                f"{name} {status[audit.COMPLETED]}/{self.options.each} done, {refunded} refunded, {open_now} open"
            )
        self.say(f"{self._now()}  {'; '.join(parts)}; {breaker.done.total()} faults")

    def _now(self) -> str:
        return f"{time.monotonic() - self.begun_s:5.0f} s"


def _audited(node: nodes.Node, wanted: Sequence[Order], payer: Ours | Naive) -> audit.Findings:
    """What one chain shows."""
    mine = [order for order in wanted if order.network == node.network]
    contract = networks.token(node.network, "USDT").contract
    moved = house.until(lambda: _read(node, payer.wallets[node.network]), what=f"{node.network} to show all its blocks")
    return audit.compare(mine, payer.entries(), moved, contract=contract)


def _read(node: nodes.Node, wallets: Sequence[str]) -> list[nodes.Moved] | None:
    """What left the wallets; None where the node is too busy to tell."""
    try:
        return node.moved(wallets)
    except nodes.Away:
        return None
