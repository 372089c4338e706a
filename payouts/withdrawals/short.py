"""The short way to a new withdrawal: one call of the database that claims the key, freezes the money and writes it all.

It goes by rules that this process keeps in memory, and the call itself finds out whether they still hold. Whatever
is out of the ordinary, a refusal above all, leaves everything as it was: `withdrawals.create` then finds out what it
is, by rules that it reads anew. So nothing is ever decided here that the long way would decide otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from django.db import OperationalError, connection, models

from chain.failpoints import failpoint
from ledger import packing
from ledger.posting import Movement
from payouts import doorbell, prepared
from payouts.withdrawals import advance, idempotency, limits, orders, rulebook, steps, whole
from payouts.withdrawals.advance import Begun, By
from payouts.withdrawals.idempotency import Answer, Scope
from payouts.withdrawals.models import Withdrawal

_CREATE = (
    "SELECT payouts_create_withdrawal($1::jsonb, $2::bigint, $3::bigint, $4::uuid[], $5::uuid[], $6::uuid[],"
    " $7::text[], $8::int[], $9::int[], $10::numeric[])"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """An order, and what an extraction rests on: that it still stands is looked at in the call."""

    order: orders.Order
    stands: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """Both ways to one withdrawal; `refusals` are the errors by which the short one may be found closed."""

    wish: Callable[[], Wish | None]
    create: Callable[[], Withdrawal]
    refusals: tuple[type[Exception], ...]


def once(
    scope: Scope | None, ways: Ways, answer: Callable[[Withdrawal], Answer], *, now: datetime
) -> tuple[Answer, bool]:
    """Make a withdrawal, with a key only the first time; its answer, and whether it was made by this very call.

    Raises: what `idempotency.once` does.
    """
    with suppress(*ways.refusals):
        wish = ways.wish()
        found = create(wish, answer, scope, now=now) if wish else None
        if found is not None:
            return found, True
    made: list[Withdrawal] = []

    def make() -> Answer:
        made[:] = [ways.create()]
        return answer(made[0])

    return idempotency.once(scope, make, now=now), bool(made)


def create(wish: Wish, answer: Callable[[Withdrawal], Answer], scope: Scope | None, *, now: datetime) -> Answer | None:
    """Make the withdrawal, and keep its answer for a repeat; None when it is not to be had this way.

    Raises: what `orders.priced` does, and limits.PaymentLimitExceeded: by what is kept in memory, so ask again.
    """
    order = wish.order
    if connection.in_atomic_block or order.callback:
        return None  # rules that this transaction has changed are in no version yet
    sheet = rulebook.kept(order.merchant, order.api)
    if not sheet.is_plain:
        return None
    withdrawal, limits_kept = orders.priced(order, sheet=sheet, now=now)
    limits.check_amount(limits_kept, withdrawal, now=now)  # no row counts what has left: see is_plain
    withdrawal.credit_units = 0
    by = By(order.actor, order.maker)
    begun = advance.begun(withdrawal, by, endpoints=sheet.endpoints, now=now)
    told = answer(withdrawal)
    rows = {**_rows(begun), "stands": wish.stands}
    if scope is not None:
        rows["key"] = _row(idempotency.row(scope, told, now=now))
    if not _written(rows, begun.movements, sheet, scope):
        return None
    doorbell.ring(str(steps.STEPS["create"].rings))
    advance.log_created(withdrawal, by)
    return told


def _rows(begun: Begun) -> dict[str, Any]:
    return {
        "withdrawal": _row(begun.withdrawal),
        "step": _row(begun.step),
        "messages": [_row(message) for message in begun.messages],
    }


def _written(rows: dict[str, Any], movements: Sequence[Movement], sheet: rulebook.Kept, scope: Scope | None) -> bool:
    """Whether the call made the withdrawal."""
    accounts = packing.accounts(ref for one in movements for ref in (one.source, one.target)).refs
    places = {ref.key: place for place, ref in enumerate(accounts, start=1)}
    columns: list[Sequence[object]] = [
        [ref.id for ref in accounts],
        [one.id for one in movements],
        [one.txn for one in movements],
        [one.kind for one in movements],
        [places[one.source.key] for one in movements],
        [places[one.target.key] for one in movements],
        [one.amount_units for one in movements],
    ]
    claim = None if scope is None else str(scope.lock_number())
    failpoint("short.before_call")
    try:
        arrays = ["{" + ",".join(map(str, column)) + "}" for column in columns]
        ((word,),) = prepared.texts(_CREATE, [orjson.dumps(rows), str(sheet.version), claim, *arrays])
    except OperationalError as error:
        if whole.is_conflict(error):
            return False
        raise
    if word == b"stale":
        sheet.forget()
    if word != b"made":
        return False
    failpoint("short.after_call")
    return True


def _row(instance: models.Model) -> dict[str, Any]:
    """The row that is to be inserted, by column; what is NULL, or is numbered there, is left out."""
    found = {}
    for column, name, write in _columns(type(instance)):
        value = getattr(instance, name)
        if value is not None:
            found[column] = write(value) if write else value
    return found


@cache
def _columns(model: type[models.Model]) -> list[tuple[str, str, Callable[[Any], Any] | None]]:
    meta = model._meta  # noqa: SLF001 - Django's documented door to a model's fields
    return [(str(field.column), str(field.attname), _writer(field)) for field in meta.concrete_fields]


def _writer(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """How a column's value is written in JSON; None where JSON has it as it is."""
    if isinstance(field, models.DecimalField):
        return str  # numbers of any size
    return _hex if isinstance(field, models.BinaryField) else None


def _hex(value: bytes) -> str:
    return "\\x" + bytes(value).hex()
