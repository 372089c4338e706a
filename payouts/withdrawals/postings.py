"""THE accounting policy: what each outcome of a withdrawal moves in the merchant's book (DESIGN §2)."""

from collections.abc import Mapping

from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement
from payouts.withdrawals.models import Withdrawal


def account(withdrawal: Withdrawal, purpose: Purpose) -> Ref:
    """The account of this purpose that the withdrawal moves."""
    book = withdrawal.merchant_id
    owners = {FEES: book, EXTERNAL: book, MEMO_CONTRA: book, MEMO: withdrawal.user_wallet_id}
    owners[MEMO_FROZEN] = owners[MEMO]
    return Ref(
        book=book,
        owner=owners.get(purpose) or withdrawal.owner,
        asset=withdrawal.asset,
        purpose=purpose,
        network=withdrawal.network if purpose is Purpose.EXTERNAL else "",
    )


# fmt: off
AVAILABLE, FROZEN, CREDIT = Purpose.AVAILABLE, Purpose.FROZEN, Purpose.CREDIT
FEES, EXTERNAL = Purpose.FEES, Purpose.EXTERNAL
MEMO, MEMO_FROZEN, MEMO_CONTRA = Purpose.MEMO, Purpose.MEMO_FROZEN, Purpose.MEMO_CONTRA
Line = tuple[Kind, Purpose, Purpose, str, str]
POLICY: Mapping[str, tuple[Line, ...]] = {
    #               kind               from         to           how much        id
    "frozen":   ((Kind.MEMO_FREEZE,   MEMO,        MEMO_FROZEN, "memo_units",   "memo_freeze"),
                 (Kind.CREDIT_DRAW,   CREDIT,      AVAILABLE,   "credit_units", "credit_draw"),
                 (Kind.FREEZE,        AVAILABLE,   FROZEN,      "amount_units", "freeze")),
    "settled":  ((Kind.MEMO_DEBIT,    MEMO_FROZEN, MEMO_CONTRA, "memo_units",   "memo_outcome"),
                 (Kind.DEBIT,         FROZEN,      EXTERNAL,    "net_units",    "outcome"),
                 (Kind.FEE,           FROZEN,      FEES,        "fee_units",    "fee")),
    "refunded": ((Kind.MEMO_REFUND,   MEMO_FROZEN, MEMO,        "memo_units",   "memo_outcome"),
                 (Kind.REFUND,        FROZEN,      AVAILABLE,   "amount_units", "outcome"),
                 (Kind.CREDIT_REPAY,  AVAILABLE,   CREDIT,      "credit_units", "credit_repay")),
}
# fmt: on
# A debit and a refund of one withdrawal share the id "outcome": the ledger's primary key lets only one of them exist.
# A user's memorandum moves first, so that what the user lacks is told before what the merchant lacks (CONFORMANCE §1).


def frozen_by(withdrawal: Withdrawal) -> list[Ref]:
    """Every account that freezing may touch: to be locked together, before anything is looked at."""
    purposes = {purpose for _, source, target, _, _ in POLICY["frozen"] for purpose in (source, target)}
    memoranda = set() if withdrawal.user_wallet_id else {MEMO, MEMO_FROZEN}
    return [account(withdrawal, purpose) for purpose in sorted(purposes - memoranda)]


def movements(withdrawal: Withdrawal, policy: str) -> list[Movement]:
    """The movements of one outcome; parts of nothing are left out.

    A repeat builds the same ids, so the ledger answers it with the first posting.
    """
    txn = posting.event_id(withdrawal.id, policy)
    return [
        Movement(
            id=posting.event_id(withdrawal.id, step),
            txn=txn,
            kind=kind,
            source=account(withdrawal, source),
            target=account(withdrawal, target),
            amount_units=int(getattr(withdrawal, field)),
            reference=str(withdrawal.id),
        )
        for kind, source, target, field, step in POLICY[policy]
        if getattr(withdrawal, field) > 0
    ]
