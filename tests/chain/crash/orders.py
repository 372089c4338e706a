"""What a stage's child is told to play, as one line of JSON."""

import json
from dataclasses import asdict, dataclass

AMOUNT = "10"
EPISODE_S = 1_000  # of the sweeps' clock between two children: leases and intervals of the one before are over


@dataclass(frozen=True, slots=True)
class Order:
    """One life of a worker: which path it goes, where it dies, whether it is to end what a dead one left."""

    database: str
    keystore: str
    passphrase_file: str
    network: str
    path: str
    merchant: str
    level1: int
    level2: int
    key: str  # the merchant program's idempotency key: one withdrawal
    destination: str
    others: tuple[tuple[str, str], ...]  # destinations and amounts of what goes with it
    ahead_s: int  # of the sweeps' clock
    failpoint: str = ""  # "name:hit"
    seen: str = ""
    finish: bool = False
    naive: bool = False
    batch_contract: str = ""

    def number(self) -> int:
        """Of the deposit address that is paid to."""
        return int(self.key.rpartition(" ")[2])

    def wanted(self) -> list[tuple[str, str, str]]:
        """Each withdrawal's idempotency key, destination and amount."""
        return [
            (f"{self.key}+{number}" if number else self.key, to, amount)
            for number, (to, amount) in enumerate([(self.destination, AMOUNT), *self.others])
        ]

    def text(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def parsed(line: str) -> Order:
    """The order in a line."""
    return Order(**json.loads(line))
