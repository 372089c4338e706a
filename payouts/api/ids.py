"""How withdrawals' ids are written by the APIs: as they are, or as a ULID of the same 128 bits behind a prefix."""

import re
from dataclasses import dataclass
from uuid import UUID

from ulid import ULID

ULID_FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Prefixed:
    """One API's form of a ULID."""

    prefix: str

    def text(self, withdrawal_id: UUID) -> str:
        """The prefix and the ULID of the same 128 bits."""
        return f"{self.prefix}{ULID.from_uuid(withdrawal_id)}"

    def parse(self, text: str) -> UUID | None:
        """The id behind such a text, or None when it is none."""
        ulid = text.removeprefix(self.prefix)
        return ULID.from_str(ulid).to_uuid() if text.startswith(self.prefix) and ULID_FORM.fullmatch(ulid) else None


MERCHANT, INVOICE, DASHBOARD = Prefixed("wd_"), Prefixed("INV-"), Prefixed("po_")
WALLET, TRANSFER = Prefixed("w_"), Prefixed("t_")  # of the tenant API's sub-accounts, which are no withdrawals
RUN = Prefixed("run_")  # of payout runs


def parse_uuid(text: str) -> UUID | None:
    """The id behind its own text, in the one form in which it is written, or None."""
    return UUID(text) if UUID_FORM.fullmatch(text) else None


def parse(text: str) -> UUID | None:
    """The id behind a text in any of the forms, or None."""
    return parse_uuid(text) or MERCHANT.parse(text) or INVOICE.parse(text) or DASHBOARD.parse(text)
