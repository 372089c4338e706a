"""Putting something right by hand: one person proposes, another confirms, both stay written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ledger import balances, posting
from ledger.accounts import Ref
from ledger.models import Adjustment, AdjustmentDecision
from ledger.posting import Kind, LedgerRefused, Movement, Posted

CONFIRMED, DECLINED = "CONFIRMED", "DECLINED"


class SamePerson(LedgerRefused):
    """Nobody confirms what he proposed himself, and nobody without a name does either."""


class NoSuchProposal(LedgerRefused):
    """This book has no such proposal."""


class DecidedOtherwise(LedgerRefused):
    """It has been decided already, otherwise or by somebody else."""


# fmt: off
REFUSALS: dict[str, type[LedgerRefused]] = {
    "adjust_by_two_persons":   SamePerson,
    "adjustment_proposed":     NoSuchProposal,
    "adjustment_decided_once": DecidedOtherwise,
}
# fmt: on

_PROPOSE = """
SELECT ledger_propose_adjustment(%s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::numeric, %s::text, %s::text, %s::text,
    %s::timestamptz)
"""
_DECIDE = "SELECT ledger_decide_adjustment(%s::uuid, %s::uuid, %s::text, %s::text, %s::timestamptz)"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to move, and why; the id makes a repeat of it harmless."""

    id: UUID
    source: Ref
    target: Ref
    amount_units: int
    reason: str
    reference: str = ""


def propose(proposal: Proposal, *, by: str, at: datetime) -> None:
    """Write down what one person wants to adjust; nothing moves.

    Raises: LedgerRefused for what post() would refuse whatever the balances are, or a proposal without reason or name;
        IdempotencyConflict when the id stands for another proposal.
    """
    if proposal.source.book != proposal.target.book:
        raise LedgerRefused("one_book")
    if isinstance(proposal.amount_units, bool) or not isinstance(proposal.amount_units, int):
        raise TypeError(f"units are an int, not {proposal.amount_units!r}")
    with transaction.atomic():
        posting.lock([proposal.source, proposal.target])  # opens them, so that the proposal can name them by id
        _ask(
            _PROPOSE,
            [
                proposal.source.book,
                proposal.id,
                proposal.source.id,
                proposal.target.id,
                proposal.amount_units,
                proposal.reason,
                proposal.reference,
                by,
                at,
            ],
        )


def confirm(book: UUID, *, proposal_id: UUID, by: str, at: datetime) -> Posted:
    """Let another person agree, and move the money in the same transaction; a repeat answers what the first moved.

    Raises: SamePerson, NoSuchProposal, DecidedOtherwise; InsufficientFunds leaves the proposal undecided.
    """
    with transaction.atomic():
        _ask(_DECIDE, [book, proposal_id, CONFIRMED, by, at])
        proposed = Adjustment.objects.get(book=book, id=proposal_id)
        source, target = (balances.named(book, account=account) for account in (proposed.source, proposed.target))
        movement = Movement(
            id=posting.event_id(proposal_id, "adjust"),
            txn=proposal_id,
            kind=Kind.ADJUST,
            source=source,
            target=target,
            amount_units=proposed.amount,
            reference=proposed.reference,
            data={"reason": proposed.reason, "by": proposed.by, "approved_by": by},
        )
        return posting.post([movement])[0]


def decline(book: UUID, *, proposal_id: UUID, by: str, at: datetime) -> None:
    """Say no; whoever proposed it may take it back so, too.

    Raises: NoSuchProposal, DecidedOtherwise.
    """
    with transaction.atomic():
        _ask(_DECIDE, [book, proposal_id, DECLINED, by, at])


def undecided(book: UUID) -> list[Adjustment]:
    """The book's proposals that wait for a second person, the oldest first."""
    decided = AdjustmentDecision.objects.filter(book=book).values("adjustment")
    return list(Adjustment.objects.filter(book=book).exclude(id__in=decided).order_by("at", "id"))


def _ask(door: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(door, parameters)
        (rule,) = cursor.fetchone()
    if rule is not None:
        raise REFUSALS.get(rule, posting.REFUSALS[rule])(rule)
