"""What the house's database says while it may be down at any moment, and what its own proofs say at the end."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg

from tests.chaos import audit
from tests.flows.house import House

CONNECT_S = 3
ENTRIES = "SELECT network, destination, status, net_units FROM payouts_withdrawal"
COUNTS = "SELECT network, status, count(*) FROM payouts_withdrawal GROUP BY network, status"
WALLETS = "SELECT network, address FROM chain_hotwallet ORDER BY id"
ASIDE = "SELECT endpoint FROM chain_endpointhealth"
ALARMED = "SELECT count(DISTINCT subject) FROM chain_alarm WHERE kind = 'payment.person'"


@dataclass
class Books:
    """Reads the house's withdrawals past its own code."""

    house: House
    _known: dict[str, Counter[str]] = field(default_factory=dict)

    def rows(self, query: LiteralString) -> list[tuple[object, ...]]:
        """Raises: psycopg.OperationalError while PostgreSQL is away."""
        with psycopg.connect(self.house.env()["DATABASE_OWNER_URL"], connect_timeout=CONNECT_S) as db:
            return db.execute(query).fetchall()

    def counts(self) -> Mapping[str, Counter[str]]:
        """How many are in each status, by network; what was known last, while nobody answers."""
        try:
            rows = self.rows(COUNTS)
        except psycopg.OperationalError:
            return self._known
        self._known = defaultdict(Counter)
        for network, status, number in rows:
            self._known[str(network)][str(status)] = int(str(number))
        return self._known

    def entries(self) -> dict[str, list[audit.Entry]]:
        """Every withdrawal by its recipient."""
        found: dict[str, list[audit.Entry]] = defaultdict(list)
        for _, to, status, net_units in self.rows(ENTRIES):
            found[str(to)].append(audit.Entry(str(status), int(str(net_units))))
        return found

    def wallets(self) -> dict[str, list[str]]:
        """The hot wallets of every network."""
        found: dict[str, list[str]] = defaultdict(list)
        for network, address in self.rows(WALLETS):
            found[str(network)].append(str(address))
        return found

    def all_endpoints_taken(self) -> bool:
        """Whether no node is put aside any more."""
        try:
            return not self.rows(ASIDE)
        except psycopg.OperationalError:
            return False

    def alarmed(self) -> int:
        """About how many payments a person was called."""
        return int(str(self.rows(ALARMED)[0][0]))
