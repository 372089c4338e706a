"""Whatever the rows: the first that matches decides who must approve, as a plain model says; none means two levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payouts.merchants.book import BookedAddress
from payouts.merchants.models import Merchant
from payouts.withdrawals import amending, rules
from payouts.withdrawals.models import Approval, PolicyRule
from payouts.withdrawals.rule_models import Kind
from tests import make

AMOUNTS = st.sampled_from([1, 2, 5, 9, 10, 11, 100])
COOL_DOWN_HOURS = 24
AGES = (0, COOL_DOWN_HOURS, COOL_DOWN_HOURS + 1)


@dataclass(frozen=True)
class Row:
    """A row of the model; None and "" stand for all."""

    priority: int
    merchant: int | None
    api: str
    channel: str
    asset: str
    low: int
    high: int | None
    destination: str
    approval: str


@dataclass(frozen=True)
class Asked:
    """A case; `booked_h` is for how long the address has been in the book, None where it is in none."""

    merchant: int
    api: str
    channel: str
    asset: str
    amount: int
    booked_h: int | None


ROWS = st.builds(
    Row,
    priority=st.integers(0, 3),
    merchant=st.sampled_from([None, None, 0, 1]),
    api=st.sampled_from(["", "", "public", "merchant"]),
    channel=st.sampled_from(["", "", "create"]),
    asset=st.sampled_from(["", "", "USDT", "ETH"]),
    low=st.sampled_from([0, 2, 10]),
    high=st.sampled_from([None, 2, 10, 11]),
    destination=st.sampled_from(["", "", "known", "new"]),
    approval=st.sampled_from(Approval.values),
).filter(lambda row: (row.asset or (not row.low and row.high is None)) and (row.high is None or row.low <= row.high))
CASES = st.builds(
    Asked,
    merchant=st.sampled_from([0, 1]),
    api=st.sampled_from(["public", "merchant"]),
    channel=st.sampled_from(["", "create", "request"]),
    asset=st.sampled_from(["USDT", "ETH"]),
    amount=AMOUNTS,
    booked_h=st.sampled_from([None, *AGES]),
)


def model(rows: Sequence[Row], case: Asked) -> str:
    """What the words say: the lowest priority first, the older of two with the same."""
    known = case.booked_h is not None and case.booked_h >= COOL_DOWN_HOURS
    for row in sorted(rows, key=lambda row: row.priority):
        fits = (
            row.merchant in (None, case.merchant)
            and row.api in ("", case.api)
            and row.channel in ("", case.channel)
            and row.asset in ("", case.asset)
            and row.low <= case.amount
            and (row.high is None or case.amount <= row.high)
            and row.destination in ("", "known" if known else "new")
        )
        if fits:
            return row.approval
    return "TWO_LEVELS"


def put(row: Row, merchants: Sequence[Merchant]) -> None:
    wanted: dict[str, Any] = {
        "priority": row.priority, "api": row.api, "channel": row.channel, "asset": row.asset, "from_units": row.low,
        "to_units": row.high, "destination": row.destination, "approval": row.approval,
    }  # fmt: skip
    make.ruled(PolicyRule(merchant=None if row.merchant is None else merchants[row.merchant], **wanted))


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=3, max_size=6) | st.just([]), cases=st.lists(CASES, min_size=6, max_size=12))
def test_the_first_row_that_matches_decides(rows: list[Row], cases: list[Asked]) -> None:
    now = make.now()
    with transaction.atomic():
        for seeded in PolicyRule.objects.all():
            make.unruled(seeded)
        merchants = [make.merchant(), make.merchant()]
        for row in rows:
            put(row, merchants)
        for case in cases:
            merchant, address = merchants[case.merchant], f"address {cases.index(case)}"
            if case.booked_h is not None:
                booked = BookedAddress(merchant=merchant, network="tron", address=address, label="x")
                change = amending.Change(Kind.ADDRESS, None, amending.values(booked))
                if not BookedAddress.objects.filter(merchant=merchant, address=address).exists():
                    make.agreed(change, at=now - timedelta(hours=case.booked_h))
            asked = rules.Case(merchant, case.api, case.asset, "tron", case.amount, case.channel, address)
            assert rules.approval(asked, cool_down_hours=COOL_DOWN_HOURS, now=now) == model(rows, case)
        transaction.set_rollback(True)
