"""Changing one asset into another at a rate: two movements of one transaction, each asset summing to zero."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, LedgerRefused, Movement, Posted


@dataclass(frozen=True, slots=True)
class Conversion:
    """So much of one asset for so much of another; `rate` is what one whole coin sold was worth in the other asset.

    Both amounts are given and the rate is kept beside them: how amounts were rounded is the caller's policy.
    """

    id: UUID
    sold: Ref
    sold_units: int
    bought: Ref
    bought_units: int
    rate: Decimal
    reference: str = ""


def legs(conversion: Conversion, *, txn: UUID | None = None) -> list[Movement]:
    """The two movements, to be posted in one call, with others of the same transaction where there are some.

    Raises: LedgerRefused when the rate is not a positive number.
    """
    rate = conversion.rate
    if not rate.is_finite() or rate <= 0:
        raise LedgerRefused("convert_by_rate")
    out, back = (posting.event_id(conversion.id, step) for step in ("convert-sold", "convert-bought"))
    common: dict[str, Any] = {"txn": txn or conversion.id, "kind": Kind.CONVERT, "reference": conversion.reference}
    return [
        Movement(
            id=out,
            source=conversion.sold,
            target=_desk(conversion.sold),
            amount_units=conversion.sold_units,
            data={"rate": format(rate, "f"), "pair": str(back)},
            **common,
        ),
        Movement(
            id=back,
            source=_desk(conversion.bought),
            target=conversion.bought,
            amount_units=conversion.bought_units,
            data={"rate": format(rate, "f"), "pair": str(out)},
            **common,
        ),
    ]


def convert(conversion: Conversion) -> list[Posted]:
    """Sell the one and buy the other, both or neither; a repeat answers what the first did.

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    return posting.post(legs(conversion))


def _desk(ref: Ref) -> Ref:
    """The book's own account where one asset goes and the other comes from."""
    return Ref(book=ref.book, owner=ref.book, asset=ref.asset, purpose=Purpose.CONVERSION)
