"""What an account is called: its book, owner, asset, purpose and network."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from uuid import UUID


class Purpose(StrEnum):
    """What the money on an account is for; DESIGN §2's table of accounts.

    | account     | floor  | owner         | meaning                                                                  |
    |-------------|--------|---------------|--------------------------------------------------------------------------|
    | available   | 0      | whose it is   | may be spent                                                             |
    | frozen      | 0      | whose it is   | reserved for open withdrawals                                            |
    | credit      | −limit | whose line    | −balance is drawn, balance − floor is left                               |
    | fees        | none   | the book      | what the platform earned from this book                                  |
    | external    | none   | the book      | the world outside, one per network                                       |
    | conversion  | none   | the book      | where one asset leaves and another comes: the open position in each      |
    | memo        | 0      | a user wallet | what the merchant owes this user and he may take out                     |
    | memo_frozen | 0      | a user wallet | what he is taking out                                                    |
    | memo_contra | none   | the book      | −(what the merchant owes all its users), so that memoranda sum to zero   |

    Memoranda say what the merchant owes to whom. Their money is in the merchant's own accounts, so the two move in one
    call of post(), each with its own amount (the payer of a fee differs):

    | what happens to a user of `public` | money                               | memorandum                            |
    |------------------------------------|-------------------------------------|---------------------------------------|
    | deposits                           | DEPOSIT external → available        | MEMO_CREDIT memo_contra → memo        |
    | asks to withdraw                   | FREEZE available → frozen           | MEMO_FREEZE memo → memo_frozen        |
    | is paid                            | DEBIT, FEE frozen → external, fees  | MEMO_DEBIT memo_frozen → memo_contra  |
    | is rejected, or the payment failed | REFUND frozen → available           | MEMO_REFUND memo_frozen → memo        |

    Four kinds and no fewer: with a debit at once and a credit for what is rejected, a statement could not tell a
    deposit from a rejection, nor a balance what is pending, and every request would lock the book's one memo_contra.
    """

    AVAILABLE = "available"
    FROZEN = "frozen"
    CREDIT = "credit"
    FEES = "fees"
    EXTERNAL = "external"
    CONVERSION = "conversion"
    MEMO = "memo"
    MEMO_FROZEN = "memo_frozen"
    MEMO_CONTRA = "memo_contra"


FLOORLESS = frozenset({Purpose.FEES, Purpose.EXTERNAL, Purpose.CONVERSION, Purpose.MEMO_CONTRA})


@dataclass(frozen=True, slots=True)
class Ref:
    """An account by its parts; it need not exist yet, the first use opens it."""

    book: UUID
    owner: UUID
    asset: str
    purpose: Purpose
    network: str = ""
    _key: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def id(self) -> UUID:
        """The account's id, made from its parts (a version-8 UUID)."""
        return UUID(bytes=self.key[16:])

    @property
    def key(self) -> bytes:
        """The book and the id, as bytes: what rows are found by, in the order in which everybody locks them.

        Remembered: it is asked for at every posting.
        """
        if not self._key:
            object.__setattr__(self, "_key", self.book.bytes + _id(self))
        return self._key


@lru_cache(maxsize=1 << 15)
def _id(ref: Ref) -> bytes:
    """The id's bytes, remembered over equal Refs too: making it costs more than a tenth of a posting.

    It is SHA-256 and not UUID version 5, so that PostgreSQL can compute it as well: the account table's rule
    `account_id_from_parts` holds every row to it.
    """
    parts = f"{ref.book}/{ref.owner}/{ref.asset}/{ref.purpose}/{ref.network}"
    bits = int.from_bytes(hashlib.sha256(parts.encode()).digest()[:16])
    bits = bits & ~(0xF << 76) | (0x8 << 76)  # the version: 8, made by a rule of one's own
    bits = bits & ~(0x3 << 62) | (0x2 << 62)  # the variant of RFC 9562
    return bits.to_bytes(16)
