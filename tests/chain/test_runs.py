"""Withdrawals that leave together: dispatched, signed, paid and settled as one batch, where there is a contract."""

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import addresses, transfers
from chain.evm import batches
from chain.models import HotWallet, Intent, Purpose, SignedAttempt
from ledger import balances
from ledger.accounts import Purpose as Account
from payouts import tasks
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import labs, steps

pytestmark = [pytest.mark.chains]
CONTRACT = addresses.from_bytes("ethereum", bytes.fromhex("ba7cb47c00000000000000000000000000000003"))


@pytest.fixture
def lane(committed: object, ethereum: labs.EvmLab, redis_clean: str, settings: Settings) -> HotWallet:
    ethereum.rpc("anvil_setCode", CONTRACT, "0x" + batches.artifact()["runtime"])
    settings.BATCH_CONTRACTS = {"ethereum": CONTRACT}
    return ethereum.wallet(units=50_000_000)


def _approved(merchant: Merchant, count: int) -> list[Withdrawal]:
    return [
        make.nodded(merchant, "1.5", network="ethereum", destination=labs.recipient("ethereum")) for _ in range(count)
    ]


def _swept(lab: labs.EvmLab) -> None:
    """What beat rings, once around, with the blocks that finality takes."""
    tasks.dispatch()
    tasks.sign()
    tasks.send()
    labs.finalise(lab)
    Intent.objects.filter(state="OPEN").update(next_watch_at=timezone.now())
    tasks.watch()
    tasks.settle()


def test_the_first_run_goes_singly_and_asks_for_the_allowance_and_the_next_goes_together(
    lane: HotWallet, ethereum: labs.EvmLab
) -> None:
    merchant = make.merchant(funds="100")
    first = _approved(merchant, 2)
    _swept(ethereum)
    assert Intent.objects.get(purpose=Purpose.ALLOWANCE).state == "PAID"
    steps.rich(lane)
    second = _approved(merchant, 3)
    _swept(ethereum)
    batch = Intent.objects.get(purpose=Purpose.BATCH)
    assert set(transfers.payout_ids(batch)) == {withdrawal.id for withdrawal in second}
    assert SignedAttempt.objects.filter(intent__payout_id__in=[one.id for one in second]).count() == 0
    ended = Withdrawal.objects.filter(id__in=[one.id for one in first + second])
    assert {one.status for one in ended} == {Status.COMPLETED}
    assert {ethereum.balance(one.destination) for one in ended} == {500_000}
    assert balances.balance(make.account(merchant, Account.FROZEN)).balance_units == 0


def test_one_above_a_cap_waits_and_the_others_go_together(
    lane: HotWallet, ethereum: labs.EvmLab, settings: Settings
) -> None:
    merchant = make.merchant(funds="100")
    _approved(merchant, 2)
    _swept(ethereum)
    steps.rich(lane)
    settings.SIGNER_CAPS = '{"USDT": {"payment": "1", "hour": "1000", "unattended": "1000"}}'
    small = _approved(merchant, 2)
    large = make.nodded(merchant, "5", network="ethereum", destination=labs.recipient("ethereum"))
    _swept(ethereum)
    assert set(transfers.payout_ids(Intent.objects.get(purpose=Purpose.BATCH))) == {one.id for one in small}
    assert {Withdrawal.objects.get(id=one.id).status for one in small} == {Status.COMPLETED}
    assert Withdrawal.objects.get(id=large.id).status == Status.APPROVED
