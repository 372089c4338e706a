"""What transactions cost on chain comes into the platform's book, by network and purpose, each once."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from chain import costs, networks
from chain.models import Cost
from ledger import audit, balances
from ledger.accounts import Purpose
from payouts import gas, reconciliation
from tests import databases, make
from tests.chain.test_ordering import together
from tests.payouts.test_deposit_custody import Bank

pytestmark = pytest.mark.chains


def spent(bank: Bank) -> dict[str, int]:
    """By the statement of the platform's account."""
    coin = networks.network(bank.network).coin
    frozen = gas.account(bank.network, coin, Purpose.FROZEN)
    debits = [one for one in balances.statement(frozen, limit=100).entries if one.kind == "DEBIT"]
    found: dict[str, int] = {}
    for one in debits:
        found[one.data["purpose"]] = found.get(one.data["purpose"], 0) + one.amount_units
    return found


def test_fees_of_payouts_top_ups_and_sweeps_are_booked_once_by_any_number_of_workers(
    committed: databases.Database, lab: Any, redis_clean: str
) -> None:
    bank = Bank(lab)
    bank.pay(make.usdt("60"))
    bank.withdraw()
    for _ in range(4):
        bank.all()
    coin = networks.network(bank.network).coin
    before = reconciliation.compare(bank.network, coin)
    answers = together(*[lambda: gas.book_due(now=make.now())] * 3)
    assert sum(one for one in answers if isinstance(one, int)) == Cost.objects.count() >= 3
    assert gas.book_due(now=make.now()) == 0
    by_purpose = {
        purpose: sum(Cost.objects.filter(intent__purpose=purpose).values_list("fee_units", flat=True))
        for purpose in ("payment", "topup", "sweep")
    }
    assert spent(bank) == {purpose: units for purpose, units in by_purpose.items() if units}
    assert sum(spent(bank).values()) == costs.paid_units(bank.network)
    after = reconciliation.compare(bank.network, coin)
    assert (after.ok, after.ledger_units, after.gas_units) == (True, before.ledger_units, before.gas_units)
    assert audit.prove().problems == []
    for change in ({"booked_at": None}, {"booked_at": make.now()}, {"fee_units": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Cost.objects.update(**change)
