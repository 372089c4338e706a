"""The only way to move money: one call of one PL/pgSQL function, one round trip, one book."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, connection, connections, transaction

from ledger import binary, calls, packing
from ledger.accounts import Ref
from ledger.balances import Balance

PLATFORM_BOOK = UUID("00000000-0000-8000-8000-000000000001")

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"


class Kind(StrEnum):
    """What a movement means; what each goes between is `ledger_kind_allowed` in migrations/sql/vocabulary.sql."""

    DEPOSIT = "DEPOSIT"
    CREDIT_DRAW = "CREDIT_DRAW"
    FREEZE = "FREEZE"
    DEBIT = "DEBIT"
    FEE = "FEE"
    REFUND = "REFUND"
    CREDIT_REPAY = "CREDIT_REPAY"
    TRANSFER = "TRANSFER"
    CONVERT = "CONVERT"
    MEMO_CREDIT = "MEMO_CREDIT"
    MEMO_FREEZE = "MEMO_FREEZE"
    MEMO_DEBIT = "MEMO_DEBIT"
    MEMO_REFUND = "MEMO_REFUND"
    ADJUST = "ADJUST"


@dataclass(frozen=True, slots=True)
class Movement:
    """Move an amount from one account to another; the id makes a repeat of it harmless.

    An ADJUST names in its data a `reason` and two different persons, `by` and `approved_by`.
    """

    id: UUID
    txn: UUID
    kind: Kind
    source: Ref
    target: Ref
    amount_units: int
    reference: str = ""
    data: Mapping[str, JSON] = field(default_factory=dict)


class Posted(NamedTuple):
    """What a movement left behind; `repeated` when an earlier call had written it already."""

    id: UUID
    source_seq: int
    target_seq: int
    source_balance_units: int
    target_balance_units: int
    at: datetime
    repeated: bool


class LedgerRefused(Exception):
    """The ledger's rules do not allow this; nothing was written. `rule` is the constraint's name."""

    def __init__(self, rule: str, *, ref: Ref | None = None, short_units: int | None = None) -> None:
        super().__init__(rule, ref, short_units)
        self.rule = rule
        self.ref = ref
        self.short_units = short_units


class InsufficientFunds(LedgerRefused):
    """The account would fall below its floor, by `short_units`."""


class IdempotencyConflict(LedgerRefused):
    """An id of this call has been posted with another content, or the call repeats an earlier one in part."""


class LimitBelowDrawn(LedgerRefused):
    """A credit limit may not be set below what is drawn."""


# fmt: off
REFUSALS: dict[str, type[LedgerRefused]] = {
    # the rule, as ledger_post answers it or as the constraint is called    what the caller sees
    "account_not_overdrawn":                                                InsufficientFunds,
    "event_once":                                                           IdempotencyConflict,
    "ledger_event_pkey":                                                    IdempotencyConflict,
    "limit_not_below_drawn":                                                LimitBelowDrawn,
    "accounts_in_order":                                                    LedgerRefused,
    "account_id_from_parts":                                                LedgerRefused,
    "account_floor_by_purpose":                                             LedgerRefused,
    "account_named_plainly":                                                LedgerRefused,
    "account_network_by_purpose":                                           LedgerRefused,
    "adjust_by_two_persons":                                                LedgerRefused,
    "adjustment_decided_once":                                              LedgerRefused,
    "adjustment_proposed":                                                  LedgerRefused,
    "convert_by_rate":                                                      LedgerRefused,
    "convert_in_pairs":                                                     LedgerRefused,
    "credit_not_overpaid":                                                  LedgerRefused,
    "credit_limit_plain":                                                   LedgerRefused,
    "event_amount_in_range":                                                LedgerRefused,
    "event_kind_between_purposes":                                          LedgerRefused,
    "event_one_asset":                                                      LedgerRefused,
    "event_two_accounts":                                                   LedgerRefused,
}
# fmt: on

_PARTITIONS_KEY = re.compile("^ledger_event_[a-z0-9]+_pkey$")

_POST = """
SELECT * FROM ledger_post(%s::uuid, %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::int[], %s::numeric[], %s::text[], %s::jsonb[])
"""
_POST_ONE = """
SELECT * FROM ledger_post_one(
    %s::uuid, %s::uuid, %s::uuid, %s::text, %s::uuid, %s::uuid, %s::numeric, %s::text, %s::jsonb)
"""
_LOCK = "SELECT * FROM ledger_lock(%s::uuid, %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[])"
_SET_CREDIT_LIMIT = """
SELECT ledger_set_credit_limit(%s::uuid, %s::uuid, %s::uuid, %s::text, %s::text, %s::text,
    %s::numeric, %s::text, %s::timestamptz)
"""


def event_id(origin: UUID, step: str) -> UUID:
    """The id of what `step` does to `origin`: always the same, a UUID of version 7 with the time of `origin`."""
    digest = int.from_bytes(hashlib.sha256(origin.bytes + step.encode()).digest()[:16])
    bits = origin.int >> 80 << 80 | digest & ((1 << 80) - 1)
    bits = bits & ~(0xF << 76) | (0x7 << 76)
    bits = bits & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=bits)


def post(movements: Sequence[Movement]) -> list[Posted]:
    """Apply the movements in their order, all or none of them, in the caller's transaction or one of their own.

    A repeat (the same ids and contents) answers what the first call answered and changes nothing. A refusal moves
    nothing and leaves the caller's transaction usable: the function refuses before it writes, so no savepoint (two more
    round trips) is needed. Only what a constraint refuses needs the caller's own savepoint, if his transaction is to go
    on: an ADJUST without its two persons, an id twice in one call, a race of two different calls for one id.

    Whoever posts twice in one transaction locks all accounts first, see lock().

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    if not movements:
        return []
    if len(movements) > 1:
        return post_whole(movements)
    own = connections[DEFAULT_DB_ALIAS]  # `connection` looks this up for each of its attributes
    if own.in_atomic_block or not own.get_autocommit():
        return [post_single(movements[0])]
    from ledger import together  # it posts through this module

    return [together.post(movements[0])]


def post_single(movement: Movement) -> Posted:
    """One movement by the short way, in the caller's transaction or its own; by the long one when that declines.

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    source, target = movement.source, movement.target
    if source.book != target.book:
        raise LedgerRefused("one_book")
    parameters = (
        source.book,
        movement.id,
        movement.txn,
        str(movement.kind),
        source.id,
        target.id,
        calls.Units(calls.whole(movement.amount_units)),
        movement.reference,
        calls.json_text(movement.data),
    )
    with refusals():
        done, *answer, at = calls.call(_POST_ONE, parameters)[0]
    if not done:
        return post_whole([movement])[0]
    return Posted(movement.id, answer[0], answer[1], int(answer[2]), int(answer[3]), at, repeated=False)


def post_whole(movements: Sequence[Movement]) -> list[Posted]:
    """Any movements of one book in one call of ledger_post: opens accounts, answers repeats, names refusals.

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    packed = packing.pack(movements)
    accounts = _of_one_book(packed.accounts.refs)
    *columns, references, datas = packed.columns
    parameters = [
        *_parts(packed.accounts),
        *columns,
        references or binary.texts([""] * len(movements)),
        datas or binary.jsons(["{}"] * len(movements)),
    ]
    with refusals():
        rows = calls.call(_POST, parameters)
    _refuse(rows[0], accounts)
    return [
        Posted(movement.id, row[3], row[4], int(row[5]), int(row[6]), row[7], row[8])
        for movement, row in zip(movements, rows, strict=True)
    ]


def lock(refs: Sequence[Ref]) -> dict[Ref, Balance]:
    """Hold the accounts until the transaction ends, in the order of their ids; open those that are absent.

    Name every account that the transaction is going to move money on: whoever holds one and asks for another later can
    meet somebody who holds that one and waits for the first.

    Raises: LedgerRefused; TransactionManagementError when no transaction is open.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a lock lasts as long as its transaction: open one first")
    if not refs:
        return {}
    wanted = packing.accounts(refs)
    accounts = _of_one_book(wanted.refs)
    with refusals():
        return {
            accounts[account]: Balance(int(balance), None if floor is None else int(floor), seq)
            for account, balance, floor, seq in calls.call(_LOCK, _parts(wanted))
        }


def set_credit_limit(ref: Ref, *, limit_units: int, by: str, at: datetime) -> None:
    """Let the credit account go down to minus the limit, and write down who allowed it.

    Units: the asset's smallest ledger unit.
    Raises: LimitBelowDrawn; LedgerRefused when it is no credit account, the limit is negative or nobody is named.
    """
    parts: list[Any] = [ref.book, ref.id, ref.owner, ref.asset, str(ref.purpose), ref.network]
    with refusals(), connection.cursor() as cursor:
        cursor.execute(_SET_CREDIT_LIMIT, [*parts, calls.whole(limit_units), by, at])
        _refuse(cursor.fetchone(), {ref.id: ref})


def _of_one_book(refs: Sequence[Ref]) -> dict[UUID, Ref]:
    if len({ref.book for ref in refs}) > 1:
        raise LedgerRefused("one_book")
    return {ref.id: ref for ref in refs}


def _parts(accounts: packing.Accounts) -> list[Any]:
    return [accounts.refs[0].book, accounts.ids(), *accounts.parts()]


def _refuse(row: tuple[Any, ...], accounts: Mapping[UUID, Ref]) -> None:
    """Raise what a function's answer names as its refusal, if it does."""
    rule, account, short = (*row, None, None)[:3]
    if rule is not None:
        ref = accounts.get(account) if account else None
        raise REFUSALS[rule](rule, ref=ref, short_units=None if short is None else int(short))


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a named constraint's violation into its domain error; what has no name here is a fault and stays one."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        rule = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        rule = _PARTITIONS_KEY.sub("ledger_event_pkey", rule or "")
        if rule not in REFUSALS:
            raise
        raise REFUSALS[rule](rule) from error
    except DataError as error:
        raise LedgerRefused("data_plain") from error
