"""What breaks when: a pure function of the seed."""

import random
from collections.abc import Collection
from dataclasses import dataclass

HOUSE = ""  # the network of what happens to the house itself
EVERY_S = 3.0
ENDPOINTS = 3
WAITS_S = 0.5  # a fault that is no moment lasts at least so long


@dataclass(frozen=True, slots=True)
class Kind:
    """One way in which something breaks, and how large it may be."""

    name: str
    where: tuple[str, ...]  # HOUSE, or networks
    sizes: tuple[int, int] = (1, 1)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind at one moment; `pick` (0 to 1) chooses among whatever is there then."""

    at_s: float
    kind: str
    network: str
    size: int
    pick: float

    @property
    def name(self) -> str:
        """The kind, and where."""
        return f"{self.network} {self.kind}".strip()


HOME, BOTH, EVM, TRON = (HOUSE,), ("ethereum", "tron"), ("ethereum",), ("tron",)
# A reorganisation stays below final depth (12 on Ethereum, 19 on TRON), a spike falls by an eighth with each block.
# fmt: off
KINDS: dict[str, Kind] = {kind.name: kind for kind in (
    #     name                 where  size         its unit
    Kind("kill worker",        HOME),
    Kind("kill signer",        HOME),
    Kind("kill webhooks",      HOME),
    Kind("kill beat",          HOME),
    Kind("kill web",           HOME),
    Kind("kill a child",       HOME),
    Kind("kill redis",         HOME),
    Kind("flush redis",        HOME),
    Kind("kill postgres",      HOME),
    Kind("kill node",          BOTH),
    Kind("reorg",              BOTH,  (1, 8),      "blocks"),
    Kind("drop",               BOTH,  (1, 10),     "transactions"),
    Kind("lost replies",       BOTH,  (2, 6),      "s"),
    Kind("503",                BOTH,  (2, 6),      "s"),
    Kind("null",               BOTH,  (2, 6),      "s"),
    Kind("stale endpoint",     BOTH,  (3, 10),     "s"),
    Kind("forged receipts",    BOTH,  (3, 10),     "s"),
    Kind("hidden receipts",    BOTH,  (3, 10),     "s"),
    Kind("fee spike",          EVM,   (5, 30),     "gwei"),
    Kind("foreign nonce",      EVM),
    Kind("expiry",             TRON,  (61, 65),    "s"),
)}
# fmt: on


def plan(seed: int, networks: Collection[str], *, duration_s: float, every_s: float = EVERY_S) -> list[Fault]:
    """The faults of one run, in their order; each kind comes before any comes twice."""
    chance = random.Random(seed)
    places = [(kind, where) for kind in KINDS.values() for where in kind.where if where in (HOUSE, *networks)]
    cards: list[tuple[Kind, str]] = []
    while len(cards) * every_s < duration_s:
        cards += chance.sample(places, len(places))
    chosen = cards[: int(duration_s / every_s)]
    faults = []
    for kind, where in chosen:
        size = chance.randint(*kind.sizes)
        lasts_s = size if kind.unit == "s" and kind.name != "expiry" else WAITS_S
        at_s = chance.uniform(0, max(duration_s - lasts_s, 0))
        faults.append(Fault(round(at_s, 2), kind.name, where, size, chance.random()))
    return sorted(faults, key=lambda fault: (fault.at_s, fault.name))
