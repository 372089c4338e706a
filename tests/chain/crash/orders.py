"""What a stage's child is told to play, as one line of JSON."""

import json
from dataclasses import asdict, dataclass

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
    ahead_s: int  # of the sweeps' clock
    failpoint: str = ""  # "name:hit"
    seen: str = ""
    finish: bool = False
    naive: bool = False

    def number(self) -> int:
        """Of the deposit address that is paid to."""
        return int(self.key.rpartition(" ")[2])

    def text(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def parsed(line: str) -> Order:
    """The order in a line."""
    return Order(**json.loads(line))
