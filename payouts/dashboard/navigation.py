"""Where one can go: each entry for whoever holds its right. A new page is a row here and one in urls.py."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.urls import reverse

if TYPE_CHECKING:
    from payouts.dashboard.guard import Visit


class Entry(NamedTuple):
    """A line of the navigation; `below` are beginnings of the names of routes that belong to it."""

    title: str
    route: str
    right: str
    below: str


# fmt: off
GROUPS: Sequence[tuple[str, Sequence[Entry]]] = (
    ("Money", (
        Entry("Overview",    "overview",    "view",       "overview"),
        Entry("New payout",  "payout",      "pay",        "payout"),
        Entry("Withdrawals", "withdrawals", "view",       "withdrawal"),
        Entry("Payments",    "payments",    "view",       "payment"),
        Entry("Statement",   "statement",   "view",       "statement"),
    )),
    ("Programs", (
        Entry("API keys",    "keys",        "view",       "key"),
        Entry("Webhooks",    "webhooks",    "view",       "webhook"),
        Entry("Stores",      "stores",      "view",       "store"),
    )),
    ("Company", (
        Entry("Settings",    "settings",    "view",       "settings"),
        Entry("People",      "people",      "view",       "pe"),
        Entry("Security",    "security",    "view",       "security"),
    )),
)
# fmt: on


def entries(visit: "Visit") -> list[dict[str, Any]]:
    """The groups as this person sees them."""
    match = visit.request.resolver_match
    here = (match.url_name or "") if match else ""
    groups = [
        {
            "title": title,
            "lines": [
                {"title": one.title, "url": reverse(f"dashboard:{one.route}"), "here": here.startswith(one.below)}
                for one in rows
                if visit.may(one.right)
            ],
        }
        for title, rows in GROUPS
    ]
    return [group for group in groups if group["lines"]]
