"""The admin's sidebar, each entry for whoever may view what it leads to, and its style sheet."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


class Entry(NamedTuple):
    """A line of the sidebar; `icon` is a name of Material Symbols."""

    title: str
    icon: str
    app_label: str
    model: str


# fmt: off
GROUPS: Sequence[tuple[str, Sequence[Entry]]] = (
    ("Money out", (
        Entry("Withdrawals",       "outbox",              "payouts", "withdrawal"),
        Entry("Fees",              "percent",             "payouts", "feerule"),
        Entry("Currencies",        "paid",                "payouts", "currencylimit"),
        Entry("Rates",             "currency_exchange",   "payouts", "rate"),
        Entry("Approval policy",   "rule",                "payouts", "policyrule"),
        Entry("Limits",            "speed",               "payouts", "limitrule"),
        Entry("Address books",     "contacts",            "payouts", "bookedaddress"),
        Entry("Rule changes",      "published_with_changes", "payouts", "ruleproposal"),
    )),
    ("Money in", (
        Entry("Payments in",       "request_quote",       "payouts", "payment"),
        Entry("Deposits",          "move_to_inbox",       "payouts", "deposit"),
    )),
    ("Merchants", (
        Entry("Merchants",         "storefront",          "payouts", "merchant"),
        Entry("Stores",            "store",               "payouts", "store"),
        Entry("QR codes",          "qr_code_2",           "payouts", "qrcode"),
        Entry("Supervisors",       "badge",               "payouts", "supervisor"),
        Entry("Users' wallets",    "account_balance_wallet", "payouts", "userwallet"),
        Entry("Deposit addresses", "savings",             "payouts", "depositaddress"),
        Entry("Deposit keys",      "vpn_key",             "payouts", "extendedkey"),
        Entry("API keys",          "key",                 "payouts", "apikey"),
        Entry("OAuth2 applications", "apps",              "payouts", "application"),
        Entry("Webhook URLs",      "webhook",             "payouts", "endpoint"),
        Entry("Webhook messages",  "outgoing_mail",       "payouts", "message"),
    )),
    ("Ledger", (
        Entry("Accounts",          "account_balance",     "ledger",  "accountline"),
        Entry("Events",            "receipt_long",        "ledger",  "eventline"),
        Entry("Credit limits",     "credit_score",        "ledger",  "creditlimitline"),
        Entry("Seals",             "lock",                "ledger",  "block"),
    )),
    ("Chains", (
        Entry("Alarms",            "notification_important", "chain", "alarm"),
        Entry("Ledger and chains", "balance",             "payouts", "difference"),
        Entry("Hot wallets",       "account_balance_wallet", "chain", "hotwallet"),
        Entry("Thresholds",        "vertical_align_bottom", "chain", "lanethreshold"),
        Entry("Sweep rules",       "cleaning_services",   "chain",   "sweeprule"),
        Entry("Pauses",            "pause_circle",        "chain",   "pause"),
        Entry("Payments",          "send",                "chain",   "intent"),
        Entry("Followers",         "rss_feed",            "chain",   "follower"),
        Entry("Signed bytes",      "draw",                "chain",   "signedattempt"),
    )),
    ("People", (
        Entry("People",            "group",               "auth",    "user"),
    )),
)
# fmt: on


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar as unfold takes it."""
    return [
        {"title": title, "separator": True, "items": [_item(entry, request) for entry in entries]}
        for title, entries in GROUPS
    ]


def _item(entry: Entry, request: HttpRequest) -> dict[str, Any]:
    allowed = request.user.has_perm(f"{entry.app_label}.view_{entry.model}")
    return {
        "title": entry.title,
        "icon": entry.icon,
        "link": reverse(f"admin:{entry.app_label}_{entry.model}_changelist"),
        "permission": lambda _request: allowed,
    }


def stylesheet(_request: HttpRequest) -> str:
    """The desk's own looks."""
    return static("payouts/desk.css")


def script(_request: HttpRequest) -> str:
    """What the content policy asks of unfold's libraries."""
    return static("payouts/desk.js")


def icon(_request: HttpRequest) -> str:
    """The picture in the browser's tab."""
    return static("payouts/icon.svg")
