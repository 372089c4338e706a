"""What a company is shown of one of its withdrawals: what was paid, what is known, every step with who took it."""

from dataclasses import dataclass, field

from chain import networks, transfers
from payouts.merchants.models import Member
from payouts.withdrawals import sheet
from payouts.withdrawals.models import StepTaken, Withdrawal
from payouts.withdrawals.sheet import Row

# fmt: off
STEPS = {
    "create":           "Made, amount frozen",
    "flag":             "Sent to review",
    "auto_approve":     "Approved by policy",
    "merchant_approve": "Approved by your company",
    "approve_l1":       "First approval",
    "approve_l2":       "Second approval",
    "dispatch":         "Handed to the network",
    "complete":         "Paid: final on the network",
    "fail":             "Failed on the network, refunded",
    "reject":           "Rejected, refunded",
    "cancel":           "Cancelled, refunded",
}
# fmt: on
US = "Sluice"


@dataclass(frozen=True, slots=True)
class Moment:
    """One step on the way."""

    at: str
    title: str
    who: str
    reason: str
    proof: list[Row] = field(default_factory=list)


def paid(row: Withdrawal) -> list[Row]:
    """What moves."""
    asset = row.asset
    credit_units = int(row.credit_units)
    rows = [
        Row("Recipient gets", sheet.money(asset, int(row.net_units)), "money"),
        Row("To address", row.destination, "whole"),
        Row("Network", sheet.network(row.network)),
        Row("Fee", sheet.money(asset, int(row.fee_units)), "money"),
        Row("Total", sheet.money(asset, int(row.amount_units)), "money"),
        Row("Drawn on credit", sheet.money(asset, credit_units), "money") if credit_units else None,
        _transaction(row),
    ]
    return [one for one in rows if one is not None]


def _transaction(row: Withdrawal) -> Row | None:
    txid = row.txid or transfers.latest_txid(row.id)
    if txid is None:
        return None
    url = networks.network(row.network).explorer_tx_url.format(txid=txid)
    return Row("Transaction", txid, "whole", "" if row.txid else "not final yet", url)


def around(row: Withdrawal) -> list[Row]:
    """Whose it is and where it came from."""
    rows = [
        Row("Made through", sheet.door(row)),
        Row("Made at", sheet.moment(row.created_at)),
        Row("Last change", sheet.moment(row.updated_at)),
        Row("For your user", row.user_wallet.user_id, "whole") if row.user_wallet else None,
        Row("Needs the yes of", row.get_approval_display()),
        Row("Reason", row.reason) if row.reason else None,
        Row("Internal id", str(row.id), "whole"),
    ]
    return [one for one in rows if one is not None]


def timeline(row: Withdrawal) -> list[Moment]:
    """Every step, the oldest first; who of the platform decided is the platform's matter."""
    taken = list(row.steps.select_related("person").order_by("id"))
    people = {step.person_id for step in taken if step.person_id}
    ours = set(Member.objects.filter(merchant=row.merchant_id, person__in=people).values_list("person", flat=True))
    return [
        Moment(sheet.moment(step.at), STEPS[step.verb], _who(step, ours), step.reason, _proof(step)) for step in taken
    ]


def _who(step: StepTaken, ours: set[int]) -> str:
    """The company's person or key by name; the platform's people and workers are the platform."""
    if step.person_id in ours or step.verb in ("create", "cancel", "merchant_approve"):
        return step.actor
    return US


def _proof(step: StepTaken) -> list[Row]:
    chain = step.data.get("proof", {}).get("chain")
    if not chain:
        return []
    first, last = chain["first"], chain["last"]
    return [
        Row("In block", f"{first['number']:,}"),
        Row("Block's hash", first["hash"], "whole"),
        Row("Final with block", f"{last['number']:,}"),
    ]
