"""The fees that our transactions paid on chain, in the platform's book: by network and purpose, each cost once.

The platform brings the coin and it is gone: DEPOSIT, FREEZE and DEBIT of the same amount, in an account per network
of its own. So its statement says what gas has cost, payouts' and sweeps' apart, and the outside world's
account sums to nought: what operators send to hot wallets for gas is not followed, and is nobody's balance till then.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from chain import costs, units
from chain.models import Cost
from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.posting import JSON, PLATFORM_BOOK, Kind, Movement

BATCH = 1_000


def account(network: str, coin: str, purpose: Purpose = Purpose.AVAILABLE) -> Ref:
    """The platform's account through which a network's fees go."""
    if purpose is Purpose.EXTERNAL:
        return Ref(PLATFORM_BOOK, PLATFORM_BOOK, coin, purpose, network)
    return Ref(PLATFORM_BOOK, uuid.uuid5(PLATFORM_BOOK, f"gas/{network}"), coin, purpose)


def book_due(*, now: datetime) -> int:
    """Book what has been spent since; how many transactions' costs."""
    with transaction.atomic(durable=True):
        found = costs.unbooked(limit=BATCH)
        groups: dict[tuple[str, str, str], list[Cost]] = defaultdict(list)
        for cost in found:
            groups[cost.network, cost.coin, cost.intent.purpose].append(cost)
        posting.post([one for key, those in sorted(groups.items()) for one in _movements(*key, those)])
        costs.book(found, now=now)
    return len(found)


def _movements(network: str, coin: str, purpose: str, spent: Sequence[Cost]) -> list[Movement]:
    """What these transactions move; nothing where they were free. The ids are the first one's, which is booked once."""
    amount_units = units.to_ledger_units(network, coin, sum(int(cost.fee_units) for cost in spent))
    if not amount_units:
        return []
    outside, available, frozen = (
        account(network, coin, one) for one in (Purpose.EXTERNAL, Purpose.AVAILABLE, Purpose.FROZEN)
    )
    lines = ((Kind.DEPOSIT, outside, available), (Kind.FREEZE, available, frozen), (Kind.DEBIT, frozen, outside))
    first = spent[0]
    txn = posting.event_id(first.intent_id, f"gas {first.pk}")
    said: dict[str, JSON] = {"purpose": purpose, "transactions": len(spent)}
    return [
        Movement(posting.event_id(txn, kind), txn, kind, source, target, amount_units, f"gas: {purpose}", said)
        for kind, source, target in lines
    ]
