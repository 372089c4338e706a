"""What the protocol asks of a chain family, in the protocol's own words; `evm` and `tron` answer it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class ChainError(Exception):
    """A node did not give what was asked; it never changes a payment's state."""


class Retryable(ChainError):
    """Asking again may help: no answer, a fault, a limit, a fee above the ceiling, an endpoint that lags."""


class FeeCeiling(Retryable):
    """The market asks for more than the network's ceiling allows; the payment waits."""


class Permanent(ChainError):
    """Asking the same again cannot help: the node understood the question and refuses it."""


class Reverted(Retryable):
    """A call that was only tried out ended in a revert."""


class Disagreement(Retryable):
    """Endpoints told the same fact differently: nobody may act on either."""


class Mismatch(ChainError):
    """Bytes that were just signed do not say what was ordered; they are thrown away."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one transaction must do, and nothing else; two transfers are equal when their payloads are.

    Without a contract it moves the network's own coin; `data` is then what the transaction carries, in hexadecimal.

    Units: seq is the nonce on EVM and the timestamp in ms on TRON.
    """

    network: str
    wallet: str
    seq: int
    contract: str
    to_address: str
    amount_units: int
    data: str = ""
    to_our_own: bool = field(default=False, compare=False)  # no contract: coin goes there for the least gas


@dataclass(frozen=True, slots=True)
class Quote:
    """Everything read from the chain before signing: fees, the reference block, the expiration."""

    fees: Mapping[str, int]
    ref_number: int
    ref_hash: str
    ref_mark: str = ""  # the reference block as the bytes carry it (TRON: number and hash in part; EVM: not at all)
    expiration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A recoverable secp256k1 signature."""

    r: int
    s: int
    parity: int


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes that may be sent, and the id that the chain will know them by, computed here."""

    raw: bytes
    txid: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What signed bytes say when they are decoded again, the signer recovered from the signature."""

    transfer: Transfer
    fees: Mapping[str, int]
    expiration_ms: int | None
    ref_mark: str
    txid: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signed attempt as the watcher needs it."""

    number: int
    txid: str
    fees: Mapping[str, int]
    ref_number: int
    ref_hash: str
    expiration_ms: int | None
    is_live: bool
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's end as all endpoints in good standing have reached it: the newest block and the newest final one."""

    number: int
    final_number: int
    final_hash: str
    final_ms: int
    block_ms: int  # how far apart its blocks were lately

    @classmethod
    def over(cls, final: Any, *, newest: tuple[int, int]) -> "Head":
        """The head above a final block (of chain/links.py); the newest one's height and time tell the pace."""
        number, newest_ms = newest
        between = number - final.number
        block_ms = max(newest_ms - final.at_ms, 0) // between if between > 0 else 0
        return cls(number, final.number, final.hash, final.at_ms, block_ms)

    def blocks_until_final(self, candidate: Candidate | None) -> int:
        """How many blocks must become final before one can be that could hold bytes that were signed then.

        When they were signed the final block was as far behind the newest as it is now; they came later than both.
        """
        if candidate is None:
            return 0
        return candidate.ref_number + (self.number - self.final_number) + 1 - self.final_number


@dataclass(frozen=True, slots=True)
class Answer:
    """What one endpoint said to a broadcast; never a verdict."""

    endpoint: str
    accepted: bool
    text: str


class Outcome(StrEnum):
    """What the final part of the chain says about a transfer."""

    OPEN = "OPEN"
    PAID = "PAID"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a transaction took from its wallet besides what it moved, in the network's native coin.

    Units: the coin's smallest.
    """

    txid: str
    block_number: int
    fee_units: int
    detail: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a transaction will probably cost, in the network's native coin. Units: the coin's smallest."""

    fee_units: int
    detail: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome with its evidence; OPEN says what it waits for."""

    outcome: Outcome = Outcome.OPEN
    txid: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    alarm: str = ""
    bump_due: bool = False
    final_in: int = 0  # blocks that must become final before there can be a verdict, as far as is known
    expired: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # txid → proof of absence
    scan: Mapping[str, Any] = field(default_factory=dict)
    spent: Spent | None = None  # with every outcome but OPEN


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the chain would not make a transfer now; `in_a_block`: trying it would end in a block, as failed."""

    reason: str
    in_a_block: bool = True


@dataclass(frozen=True, slots=True)
class Holding:
    """What some wallets hold at one block, in their order."""

    number: int
    hash: str
    each: tuple[int, ...]
    contract: str
    wallets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Landing:
    """What one of a transfer's attempts did up to a block; nothing when none is there."""

    paid: bool = False
    spent: Spent | None = None
    made: tuple[bool, ...] = ()  # a batch's payments, in its order


@dataclass(frozen=True, slots=True)
class Account:
    """What one wallet holds at a final block; it may show a little later than that block, never less.

    Units: what the chain counts in, by contract.
    """

    block_number: int
    units: Mapping[str, int]


class Gateway(Protocol):
    """One network through its endpoints. Every method but the pure three asks the network."""

    def head(self) -> Head:
        """Where the chain ends now. Raises: ChainError."""

    def quote(self, transfer: Transfer, *, previous: Candidate | None) -> Quote:
        """Read what signing needs; with a previous attempt, a replacement's fees. Raises: ChainError."""

    def quote_ahead(self, transfers: Sequence[Transfer]) -> None:
        """Read what quoting these transfers will ask, where that saves questions. Raises: ChainError."""

    def rehearse(self, transfers: Sequence[Transfer]) -> list[Obstacle | ChainError | None]:
        """Run transfers without sending them: what would stop each now, or what kept it from being run.

        Raises: ChainError.
        """

    def digest(self, transfer: Transfer, quote: Quote) -> bytes:
        """The hash to sign, of bytes built here (pure)."""

    def attach(self, transfer: Transfer, quote: Quote, signature: Signature) -> Signed:
        """The bytes to send and their txid (pure)."""

    def read(self, raw: bytes) -> Reading:
        """Decode signed bytes (pure). Raises: Mismatch when they are no plain transfer."""

    def send(self, raws: Sequence[bytes]) -> Sequence[Sequence[Answer]]:
        """Send each of these bytes to every endpoint; answers, never an exception."""

    def read_ahead(self, candidates: Sequence[Candidate], *, head: Head, every: bool = False) -> None:
        """Read what judging these attempts (`every`: also those too young to be final) will ask. Raises: ChainError."""

    def judge(
        self,
        transfer: Transfer,
        candidates: Sequence[Candidate],
        *,
        head: Head,
        scan: Mapping[str, Any],
        now: datetime,
    ) -> Judgement:
        """Say what the final chain says. Raises: ChainError when it could not be asked."""

    def account(self, wallet: str, contracts: Collection[str]) -> Account:
        """What the wallet holds of these contracts, finally. Raises: ChainError."""

    def fee_units(self) -> int:
        """The most that the fees of one payment may come to now, in the native coin's units. Raises: ChainError."""

    def most_units(self, transfer: Transfer) -> int:
        """What the wallet must have in coin for this transfer's fees now, nothing staked. Raises: ChainError."""

    def cost_units(self, transfer: Transfer, quote: Quote) -> int:
        """The same when this quote is signed. Raises: ChainError."""

    def estimate(self, transfer: Transfer) -> Expected:
        """What the transfer would probably cost now. Raises: ChainError."""

    def held(self, contract: str, wallets: Collection[str], *, upto: int | None = None) -> Holding:
        """What they hold at exactly one block; not above `upto` where old states can be read. Raises: ChainError."""

    def landed(self, transfer: Transfer, candidates: Sequence[Candidate], holding: Holding) -> Landing:
        """What the transfer has done by the holding's block. Raises: ChainError."""

    def still(self, holding: Holding) -> bool:
        """Tell whether the holding's block is on the chain and its balances are read alike. Raises: ChainError."""

    def next_nonce(self, wallet: str) -> int:
        """The sequence number that a newly enrolled wallet starts with. Raises: ChainError."""
