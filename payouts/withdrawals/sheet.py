"""What a person is shown of a withdrawal before they decide: everything, plainly, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chain import alarms, networks, transfers, units
from ledger import balances, posting
from ledger.accounts import Purpose
from ledger.models import EventLine
from payouts.webhooks.models import Message
from payouts.withdrawals import payload, postings
from payouts.withdrawals.models import Status, StepTaken, Withdrawal
from payouts.withdrawals.quoting import DASHBOARD

DAY, HOUR, MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. `kind` says how it looks: text, whole (monospace, copied with one click), money, alert, link."""

    label: str
    value: str
    kind: str = "text"
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Facts in columns."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    nothing: str


def money(asset: str, amount_units: int) -> str:
    """The amount with its asset, thousands apart, never a digit lost: `12,500.00 USDT`.

    Units: the asset's smallest ledger unit.
    """
    whole, _, fraction = units.text(asset, amount_units, 2).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}.{fraction} {asset}"


def age(span: timedelta) -> str:
    """A stretch of time in its two largest parts: `2 d 3 h`, `14 min`."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def network(name: str) -> str:
    """The network as people call it."""
    known = networks.NETWORKS.get(name)
    return known.title if known else name


def summary(withdrawal: Withdrawal) -> str:
    """The payment in one line; the address whole, as everywhere."""
    paid = money(withdrawal.asset, int(withdrawal.net_units))
    return f"{paid} to {withdrawal.destination} on {network(withdrawal.network)}"


def bound(withdrawal: Withdrawal) -> list[Row]:
    """What an approval binds: the payload, whole."""
    asset = withdrawal.asset
    rows = [
        Row("Recipient gets", money(asset, int(withdrawal.net_units)), "money"),
        Row("To address", withdrawal.destination, "whole"),
        Row("Network", network(withdrawal.network)),
        Row("Asset", asset),
        Row("Amount", money(asset, int(withdrawal.amount_units)), "money", "leaves the merchant's balance"),
        Row("Fee", money(asset, int(withdrawal.fee_units)), "money"),
    ]
    return [*rows, Row("Payload hash", payload.payload_hash(withdrawal).hex(), "whole", "what your code confirms")]


def around(withdrawal: Withdrawal, *, public_id: str) -> list[Row]:
    """Whose it is, who made it, what screening found, what is left."""
    merchant = withdrawal.merchant
    mode = Row("Mode", "TEST: the address was only checked for its form", "alert") if merchant.is_test else None
    credit_units = int(withdrawal.credit_units)
    drawn = Row("Drawn on credit", money(withdrawal.asset, credit_units), "alert") if credit_units else None
    rows = [
        Row("Merchant", merchant.name),
        mode or Row("Mode", "LIVE"),
        Row("Made by", _maker(withdrawal), note=door(withdrawal)),
        Row("For the merchant's user", withdrawal.user_wallet.user_id, "whole") if withdrawal.user_wallet else None,
        Row("Made at", moment(withdrawal.created_at)),
        *_screening(withdrawal),
        drawn,
        *_balance_after(withdrawal),
        Row("Needs", withdrawal.get_approval_display()),
        Row("Level 1 by", str(withdrawal.level1_by or "–")),
        Row("Level 2 by", str(withdrawal.level2_by or "–")),
        Row("Reason", withdrawal.reason) if withdrawal.reason else None,
        _held_back(withdrawal),
        Row("Id", public_id, "whole"),
        Row("Internal id", str(withdrawal.id), "whole"),
        _transaction(withdrawal),
        *_network_fees(withdrawal),
    ]
    return [row for row in rows if row is not None]


def door(withdrawal: Withdrawal) -> str:
    """By which way it came in."""
    return "in the dashboard" if withdrawal.api == DASHBOARD else f"{withdrawal.api} API"


def _held_back(withdrawal: Withdrawal) -> Row | None:
    """Why an approved one is not handed to the chain."""
    if withdrawal.status != Status.APPROVED or withdrawal.held_until is None:
        return None
    alarm = alarms.standing().filter(kind="payment.obstacle", subject=str(withdrawal.id)).first()
    return Row("Held back", alarm.text, "alert", f"since {moment(alarm.raised_at)}") if alarm else None


def _maker(withdrawal: Withdrawal) -> str:
    made = StepTaken.objects.filter(withdrawal=withdrawal, verb="create").first()
    actor = made.actor if made else "unknown"
    person = withdrawal.maker
    return actor if person is None or person.get_username() == actor else f"{actor}, issued to {person}"


def _screening(withdrawal: Withdrawal) -> list[Row]:
    if withdrawal.review_notes:
        return [Row("Screening", note, "alert") for note in withdrawal.review_notes.splitlines()]
    done = withdrawal.status != Status.PENDING
    return [Row("Screening", "nothing found" if done else "not screened yet", "text" if done else "alert")]


def _balance_after(withdrawal: Withdrawal) -> list[Row]:
    """What the merchant has with this withdrawal's amount already taken out: it is frozen when it is made."""
    asset = withdrawal.asset
    available, frozen, credit = (
        balances.balance(postings.account(withdrawal, purpose))
        for purpose in (Purpose.AVAILABLE, Purpose.FROZEN, Purpose.CREDIT)
    )
    rows = [
        Row("Balance after", money(asset, available.balance_units), "money", "this amount is already taken out of it"),
        Row("Frozen", money(asset, frozen.balance_units), "money", "all open withdrawals together"),
    ]
    if credit.floor_units:
        limit = f"of {money(asset, -credit.floor_units)}"
        rows.append(Row("Credit in use", money(asset, -credit.balance_units), "money", limit))
    return rows


def _transaction(withdrawal: Withdrawal) -> Row | None:
    txid = withdrawal.txid or transfers.latest_txid(withdrawal.id)
    if txid is None:
        return None
    explorer = networks.network(withdrawal.network).explorer_tx_url.format(txid=txid)
    return Row("Transaction", txid, "whole", "" if withdrawal.txid else "not final yet", explorer)


def _network_fees(withdrawal: Withdrawal) -> list[Row]:
    """What the chain took for its final transaction, in the network's own coin; a failed one costs too."""
    return [
        Row(
            "Network fee",
            money(cost.coin, units.to_ledger_units(cost.network, cost.coin, cost.fee_units)),
            "money",
            ", ".join(f"{name.replace('_', ' ')} {amount:,}" for name, amount in cost.detail.items() if amount),
        )
        for cost in transfers.costs_of_payout(withdrawal.id)
    ]


def history(withdrawal: Withdrawal) -> Table:
    """Every step, who took it, when and why."""
    rows = [
        (moment(step.at), step.verb.replace("_", " "), step.to_status, step.actor, step.reason)
        for step in withdrawal.steps.select_related("person").order_by("id")
    ]
    return Table("History", ("When", "Step", "Status then", "Who", "Reason"), rows, "No step yet.")


def movements(withdrawal: Withdrawal) -> Table:
    """What the ledger moved for it; read by the events' own ids, which are made from the withdrawal's."""
    ids = {posting.event_id(withdrawal.id, line[-1]) for lines in postings.POLICY.values() for line in lines}
    events = EventLine.objects.filter(book=withdrawal.merchant_id, id__in=ids).order_by("at", "source_seq")
    rows = [
        (moment(event.at), event.kind, event.source_purpose, event.target_purpose, money(event.asset, event.amount))
        for event in events
    ]
    return Table("Ledger movements", ("When", "Kind", "From", "To", "Amount"), rows, "Nothing moved yet.")


def messages(withdrawal: Withdrawal) -> Table:
    """What the merchant was told about it, and whether it arrived."""
    told = Message.objects.filter(subject_id=withdrawal.id).select_related("endpoint").order_by("id")
    rows = [
        (moment(message.created_at), message.event, message.endpoint.url, message.state, str(message.attempts_made))
        for message in told
    ]
    return Table("Webhooks", ("When", "Event", "To", "State", "Attempts"), rows, "No endpoint asked for its events.")
