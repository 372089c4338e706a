"""What is to be paid, a pure function of the seed; and a merchant's program that orders it over HTTP."""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

from chain import addresses
from payouts.demo.program import Away, Program
from payouts.demo.terminal import Differs

API_NETWORKS = {"ethereum": "ERC20", "tron": "TRC20"}
PLACES = 6
LEAST_UNITS = 2 * 10**PLACES
CALLERS, AGAIN_S = 4, 1.0
CREATED = 201


@dataclass(frozen=True, slots=True)
class Order:
    """One payment to somebody whom nothing else pays, of an amount that nothing else has."""

    at_s: float
    network: str
    to: str
    amount_units: int

    @property
    def amount(self) -> str:
        """In coins."""
        return str(Decimal(self.amount_units).scaleb(-PLACES))


def orders(seed: int, networks: Collection[str], *, each: int, within_s: float) -> list[Order]:
    """So many on each network, spread over the time."""
    chance = random.Random(f"orders {seed}")
    made = [
        Order(
            at_s=round(chance.uniform(0, within_s), 2),
            network=network,
            to=addresses.from_bytes(network, b"\x01" + chance.randbytes(19)),
            amount_units=LEAST_UNITS + each * place + number,
        )
        for place, network in enumerate(networks)
        for number in range(each)
    ]
    return sorted(made, key=lambda order: (order.at_s, order.to))


@dataclass
class Feeder:
    """Sends the orders when they are due; one that gets no answer is sent again under its key, which makes it one."""

    base_url: str
    keys: Sequence[Mapping[str, str]]
    orders: Sequence[Order]
    stopped: Callable[[], bool]
    taken: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Send them all."""
        begun_s = time.monotonic()
        programs = [Program(self.base_url, key_id=key["key_id"], secret=key["secret"]) for key in self.keys]
        try:
            with ThreadPoolExecutor(CALLERS) as callers:
                sent = [
                    callers.submit(self._send, order, programs[number % len(programs)], begun_s)
                    for number, order in enumerate(self.orders)
                ]
            for one in sent:
                one.result()
        finally:
            for program in programs:
                program.close()

    def _send(self, order: Order, program: Program, begun_s: float) -> None:
        time.sleep(max(0.0, begun_s + order.at_s - time.monotonic()))
        body = {"amount": order.amount, "destination_address": order.to, "network": API_NETWORKS[order.network]}
        while not self.stopped():
            try:
                program.post("/v1/withdrawals", body, wanted=CREATED, **{"Idempotency-Key": order.to})
            except Away:
                time.sleep(AGAIN_S)
            except Differs as refused:
                self.refusals[str(refused)[:120]] += 1
                time.sleep(AGAIN_S)
            else:
                self.taken += 1
                return
