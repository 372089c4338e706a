"""What an account is called: its book, owner, asset, purpose and network."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What the money on an account is for; DESIGN §2's table of accounts."""

    AVAILABLE = "available"
    FROZEN = "frozen"
    CREDIT = "credit"
    FEES = "fees"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Ref:
    """An account by its parts; it need not exist yet, the first use opens it."""

    book: UUID
    owner: UUID
    asset: str
    purpose: Purpose
    network: str = ""

    @property
    def id(self) -> UUID:
        """The account's id, made from its parts (a version-8 UUID).

        It is SHA-256 and not UUID version 5, so that PostgreSQL can compute it as well: the account table's CHECK
        `account_id_from_parts` holds every row to it.
        """
        parts = f"{self.book}/{self.owner}/{self.asset}/{self.purpose}/{self.network}"
        bits = int.from_bytes(hashlib.sha256(parts.encode()).digest()[:16])
        bits = bits & ~(0xF << 76) | (0x8 << 76)  # the version: 8, made by a rule of one's own
        bits = bits & ~(0x3 << 62) | (0x2 << 62)  # the variant of RFC 9562
        return UUID(int=bits)
