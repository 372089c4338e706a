"""Single fields of the `tenant` API's bodies and queries, each checked by what the document says of it."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from chain import codes
from chain.assets import ASSETS
from payouts.api import base

AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
FLAGS = {"true": True, "1": True, "false": False, "0": False}
LARGEST_PAGE = 100
NETWORKS = {name: network for network, name in codes.BLOCKCHAINS.items()}
MOST_OF_A_CODE = 20
MOST_DIGITS = 40  # before the point and behind it; what is reckoned with such numbers stays exact


class Refused(Exception):
    """A request that this API answers with an error of its own: one of wire.STATUSES' codes, and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def only(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse fields that nobody would act on: a misspelt `callback_url` would be a webhook that never comes.

    Raises: Refused.
    """
    unknown = sorted({*body} - known)
    if unknown:
        raise Refused("invalid_request", f"Unknown field: {unknown[0]}"[:200])


def text(body: Mapping[str, Any], name: str, *, most: int) -> str:
    """A required text.

    Raises: Refused.
    """
    found = body.get(name)
    if found is None or found == "":
        raise Refused("invalid_request", f"{name} is required")
    if not isinstance(found, str) or len(found) > most:
        raise Refused("invalid_request", f"{name} must be a string of at most {most} characters")
    return found


def optional_text(body: Mapping[str, Any], name: str, *, most: int) -> str:
    """A text that may be left out, null or empty: then "".

    Raises: Refused.
    """
    return text(body, name, most=most) if body.get(name) not in (None, "") else ""


def truth(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A boolean in a body; null is the default.

    Raises: Refused.
    """
    found = body.get(name)
    if found is None:
        return default
    if not isinstance(found, bool):
        raise Refused("invalid_request", f"{name} must be true or false")
    return found


def flag(query: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """A boolean in a query: true or false.

    Raises: Refused.
    """
    found = query.get(name)
    if found is None:
        return default
    if found.lower() not in FLAGS:
        raise Refused("invalid_request", f"{name} must be true or false")
    return FLAGS[found.lower()]


def amount(body: Mapping[str, Any], name: str) -> Decimal:
    """A required positive amount: a JSON number, or the same as a plain decimal text.

    Raises: Refused.
    """
    found = body.get(name)
    if found is None or found == "":
        raise Refused("invalid_request", f"{name} is required")
    if isinstance(found, str) and AMOUNT.fullmatch(found):
        found = Decimal(found)
    if not isinstance(found, Decimal) or not found.is_finite() or found <= 0:
        raise Refused("invalid_amount", f"{name} must be a positive number")
    _, digits, exponent = found.as_tuple()
    if found.adjusted() > MOST_DIGITS or len(digits) > MOST_DIGITS or int(exponent) < -MOST_DIGITS:
        raise Refused("invalid_amount", f"{name} is no amount of money")
    return found


def code(text: str) -> codes.Code:
    """The currency that a code of this document's form means; capital letters or not.

    Raises: codes.UnknownCode.
    """
    if len(text) > MOST_OF_A_CODE or "_" in text or not text.isascii():
        raise codes.UnknownCode("not a code of this document's")
    return codes.find(text.upper())


def offered_code(body: Mapping[str, Any], name: str = "currency") -> codes.Code:
    """The currency of a body, which must be offered here.

    Raises: Refused, codes.UnknownCode, codes.NotOffered.
    """
    return codes.offered(code(text(body, name, most=100)).code)


def network(text: str) -> str:
    """The network that a blockchain's name means, capital letters or not.

    Raises: codes.UnknownCode.
    """
    if text.upper() not in NETWORKS:
        raise codes.UnknownCode("no such blockchain")
    return NETWORKS[text.upper()]


def asset(text: str) -> str:
    """The asset that a token's name means, capital letters or not.

    Raises: codes.UnknownCode.
    """
    if text.upper() not in {row.asset for row in codes.CODES.values()}:
        raise codes.UnknownCode("no such token")
    return text.upper()


def worth(text: str) -> str:
    """What a rate is asked for: a currency's code means its asset; anything else stands for itself, as USD does."""
    try:
        return code(text).asset
    except codes.UnknownCode:
        known = text.upper()
        if known in ASSETS or re.fullmatch(r"[A-Z]{3}", known, re.ASCII):
            return known
        raise


def page(query: Mapping[str, Any], *, default: int) -> tuple[int, int]:
    """The limit (1 to 100) and offset of a list.

    Raises: Refused.
    """
    limit = base.whole(query.get("limit"), default=default)
    offset = base.whole(query.get("offset"), default=0)
    if not limit or limit > LARGEST_PAGE:
        raise Refused("invalid_request", f"limit must be a number from 1 to {LARGEST_PAGE}")
    if offset is None:
        raise Refused("invalid_request", "offset must be a number")
    return limit, offset


def moment(query: Mapping[str, str], name: str, *, ends: bool = False) -> datetime | None:
    """A day or a moment in ISO 8601, or None when it is left out; a day that ends something is the moment after it.

    Raises: Refused.
    """
    found = query.get(name)
    if not found:
        return None
    try:
        if DAY.fullmatch(found):
            return datetime.combine(date.fromisoformat(found) + timedelta(days=int(ends)), time(), UTC)
        at = datetime.fromisoformat(found.replace(" ", "+"))  # a plus sign that nobody escaped
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("invalid_request", f"{name} must be a date such as 2026-01-31") from error
