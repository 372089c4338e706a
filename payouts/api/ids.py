"""How withdrawals' ids are written by the APIs: as they are, or as a ULID of the same 128 bits."""

import re
from uuid import UUID

from ulid import ULID

PREFIX = "wd_"
ULID_FORM = re.compile(rf"{PREFIX}[0-7][0-9A-HJKMNP-TV-Z]{{25}}", re.ASCII)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def ulid(withdrawal_id: UUID) -> str:
    """`wd_` and the ULID of the same 128 bits."""
    return f"{PREFIX}{ULID.from_uuid(withdrawal_id)}"


def parse_ulid(text: str) -> UUID | None:
    """The id behind `wd_…`, or None when the text is none."""
    return ULID.from_str(text.removeprefix(PREFIX)).to_uuid() if ULID_FORM.fullmatch(text) else None


def parse_uuid(text: str) -> UUID | None:
    """The id behind its own text, in the one form in which it is written, or None."""
    return UUID(text) if UUID_FORM.fullmatch(text) else None
