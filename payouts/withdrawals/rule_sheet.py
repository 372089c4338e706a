"""A rule in people's words: each column of a row as a label and a text, for lists and for before and after."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from payouts.merchants.models import Merchant
from payouts.merchants.store_models import QrCode
from payouts.withdrawals import amending, sheet
from payouts.withdrawals.models import Approval, Destination
from payouts.withdrawals.rule_models import Kind, RuleProposal

Values = Mapping[str, Any]
Line = tuple[str, Callable[[Values], str]]
DESTINATIONS = {
    Destination.ANY: "any address",
    Destination.KNOWN: "known: paid before, or in the book",
    Destination.NEW: "new addresses",
}


def money(rule: Values, name: str) -> str:
    """An amount in coins, a dash where there is none."""
    amount = rule.get(name)
    return "–" if amount is None else sheet.money(rule["asset"], int(amount))


def payment(rule: Values) -> str:
    """What one withdrawal may be."""
    return "–" if rule["payment_units"] is None else f"up to {money(rule, 'payment_units')}"


def amounts(rule: Values) -> str:
    """The range in coins, both ends included."""
    low, high = int(rule["from_units"]), rule["to_units"]
    if high is None:
        return f"from {money(rule, 'from_units')}" if low else "any amount"
    return f"{money(rule, 'from_units')} to {money(rule, 'to_units')}" if low else f"up to {money(rule, 'to_units')}"


def window(rule: Values) -> str:
    """What may leave within a rolling window."""
    if rule["window_hours"] is None:
        return "–"
    number = rule["window_count"]
    parts = [
        money(rule, "window_units") if rule["window_units"] is not None else "",
        f"{number} withdrawal{'' if number == 1 else 's'}" if number is not None else "",
    ]
    return f"{', '.join(filter(None, parts))} within {rule['window_hours']} h"


def destinations(rule: Values) -> str:
    """Where payments may go, and how long an address of the book waits."""
    wait = rule["cool_down_hours"]
    parts = ["address book only" if rule["book_only"] else "", f"after {wait} h in the book" if wait else ""]
    return ", ".join(filter(None, parts)) or "–"


def of_merchant(rule: Values) -> str:
    """Whose row it is."""
    if rule["merchant_id"] is None:
        return "every merchant"
    found = Merchant.objects.filter(id=rule["merchant_id"]).first()
    return found.name if found else str(rule["merchant_id"])


def of_account(rule: Values) -> str:
    """Whose account of the merchant's book: its own, or that behind a store's QR code."""
    if rule["owner"] == rule["merchant_id"]:
        return "the merchant's own"
    found = QrCode.objects.filter(account=rule["owner"]).select_related("store").first()
    return str(found) if found else rule["owner"]


# fmt: off
LINES: Mapping[Kind, tuple[Line, ...]] = {
    Kind.POLICY: (
        ("Merchant",       of_merchant),
        ("API",            lambda rule: rule["api"] or "every API"),
        ("Door",           lambda rule: rule["channel"] or "every door"),
        ("Asset",          lambda rule: rule["asset"] or "every asset"),
        ("Amount",         amounts),
        ("Destination",    lambda rule: DESTINATIONS[Destination(rule["destination"])]),
        ("Who approves",   lambda rule: Approval(rule["approval"]).label),
        ("Priority",       lambda rule: str(rule["priority"])),
    ),
    Kind.LIMIT: (
        ("Merchant",       of_merchant),
        ("API",            lambda rule: rule["api"] or "all APIs together"),
        ("Asset",          lambda rule: rule["asset"] or "every asset"),
        ("One withdrawal", payment),
        ("Window",         window),
        ("Destinations",   destinations),
    ),
    Kind.ADDRESS: (
        ("Merchant",       of_merchant),
        ("Network",        lambda rule: sheet.network(rule["network"])),
        ("Address",        lambda rule: rule["address"]),
        ("Label",          lambda rule: rule["label"]),
    ),
    Kind.FEE: (
        ("Merchant",       of_merchant),
        ("API",            lambda rule: rule["api"]),
        ("Asset",          lambda rule: rule["asset"]),
        ("Network",        lambda rule: sheet.network(rule["network"])),
        ("Flat fee",       lambda rule: money(rule, "flat_units")),
        ("Of the amount",  lambda rule: f"{Decimal(rule['percent']).normalize():f} %"),
    ),
    Kind.CREDIT: (
        ("Merchant",       of_merchant),
        ("Account",        of_account),
        ("Until now",      lambda rule: money(rule, "was_units")),
        ("Credit line",    lambda rule: money(rule, "limit_units")),
    ),
}
# fmt: on


def changes(proposal: RuleProposal) -> list[dict[str, Any]]:
    """Each column as it was and as it would be; `moves` marks those that differ."""
    rows = []
    for label, text in LINES[Kind(proposal.kind)]:
        now, then = (text(rule) if rule is not None else "" for rule in (proposal.before, proposal.after))
        rows.append({"label": label, "now": now, "then": then, "moves": now != then})
    return rows


def summary(proposal: RuleProposal) -> str:
    """The row in one line, as it would be, or as it was where it is taken away."""
    rule = proposal.after if proposal.after is not None else proposal.before or {}
    return " · ".join(text(rule) for _, text in LINES[Kind(proposal.kind)] if text(rule) != "–")


def text(row: Any, label: str) -> str:
    """One column of a row that stands."""
    kind = next(kind for kind, model in amending.MODELS.items() if isinstance(row, model))
    return dict(LINES[kind])[label](amending.values(row))
