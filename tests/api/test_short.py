"""The short way to a new withdrawal: it writes what the long one writes, by the rules as they are, or nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from chain import addresses
from ledger import posting
from ledger.models import Event
from payouts.merchants import supervisors
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import QrCode, Supervisor
from payouts.merchants.user_models import WithdrawalSettings
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import extractions, idempotency, limits, orders, short, withdrawals
from payouts.withdrawals.models import Approval, FeeRule, IdempotencyKey, StepTaken, Withdrawal
from payouts.withdrawals.rule_models import LimitRule
from payouts.withdrawals.rulebook import RulebookVersion
from tests import make
from tests.api import shops, sides
from tests.api.test_at_once import CREATES
from tests.api.test_every_route import TABLE, knock
from tests.databases import Database

FACTS: dict[str, Any] = {"api": "merchant", "asset": "USDT", "network": "tron", "destination": make.TRON_ADDRESS}
HOOK: dict[str, Any] = {"api": "merchant", "url": "https://hooks.example/in", "events": ["withdrawal.created"]}
ANSWER = (201, {"status": "made"})


def order(of: Merchant, amount: str = "100", **changes: Any) -> orders.Order:
    return orders.Order(merchant=of, amount_units=make.usdt(amount), actor="tests", **(FACTS | changes))


def scope(of: Merchant, key: str) -> idempotency.Scope:
    return idempotency.Scope(of, "POST /v1/withdrawals", key, {"amount": "100"})


def shortly(of: Merchant, key: str = "", **changes: Any) -> Withdrawal | None:
    """The withdrawal that the short way makes, if it does."""
    made: list[Withdrawal] = []

    def told(row: Withdrawal) -> idempotency.Answer:
        made.append(row)
        return ANSWER

    wish = short.Wish(order(of, **changes))
    answer = short.create(wish, told, scope(of, key) if key else None, now=make.now())
    return Withdrawal.objects.get(id=made[0].id) if answer else None


def ready(*, funds: str = "1000", credit: str = "0") -> Merchant:
    """A merchant whose accounts are open: the first withdrawal goes the long way."""
    merchant = make.merchant(funds=funds, credit=credit)
    make.withdrawal(merchant, "2")
    return merchant


def written(row: Withdrawal) -> list[Any]:
    """All that was written with it, but for what differs between any two."""
    own = {"id", "created_at", "updated_at", "at", "xid", "txn", "reference", "source_seq", "target_seq", "key", "pk"}
    own |= {"source_balance", "target_balance", "withdrawal_id", "payload_hash", "subject_id", "next_attempt_at"}
    own |= {"request_hash", "data"}
    found: list[Any] = [row, StepTaken.objects.get(withdrawal=row), *Message.objects.filter(subject_id=row.id)]
    found += [*Event.objects.filter(reference=str(row.id))]
    plain = [{name: value for name, value in vars(one).items() if not name.startswith("_")} for one in found]
    told = [message.data for message in found if isinstance(message, Message)]
    return [{name: value for name, value in one.items() if name not in own} for one in [*plain, *told]]


def test_every_apis_create_goes_the_short_way(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = sides.side(make.merchant())
    for _ in range(2):
        for api in ("merchant", "extraction", "public", "invoice"):
            path = CREATES[api]
            answer = knock("POST", path, ids=dict(mine.known[api]), headers=dict(mine.headers[api]))
            assert answer.status_code in (TABLE["POST", path][2], 429)
            monkeypatch.setattr("payouts.api.throttling.RateLimit.hit", lambda *_, **__: None)
        monkeypatch.setattr(withdrawals, "create", lambda *_, **__: pytest.fail("the long way"))


def test_both_ways_write_the_same(committed: Database) -> None:
    merchant = ready()
    endpoints.register(merchant, **HOOK, now=make.now())
    quick = shortly(merchant, "quick")
    assert quick is not None
    slow = make.withdrawal(merchant)
    assert written(quick) == written(Withdrawal.objects.get(id=slow.id))
    assert Message.objects.count() == 2
    assert make.holds(merchant)["frozen"] == make.usdt("202")
    kept = IdempotencyKey.objects.get(key="quick")
    assert (kept.status_code, kept.body, bytes(kept.request_hash)) == (*ANSWER, scope(merchant, "quick").request_hash())
    with pytest.raises(idempotency.KeyReused):
        idempotency.once(
            idempotency.Scope(merchant, "POST /v1/withdrawals", "quick", "another"), lambda: ANSWER, now=make.now()
        )
    assert shortly(merchant, "quick") is None
    assert idempotency.once(scope(merchant, "quick"), lambda: pytest.fail("again"), now=make.now()) == ANSWER


def changed_fee(of: Merchant) -> None:
    make.ruled(FeeRule(merchant=of, api="merchant", asset="USDT", network="tron", flat_units=make.usdt("7")))


def changed_settings(of: Merchant) -> None:
    WithdrawalSettings.objects.create(merchant=of, withdrawal_fee_payer="merchant")


CHANGES: dict[str, Callable[[Merchant], object]] = {
    "fee": changed_fee,
    "settings": changed_settings,
    "policy": lambda of: make.policy(of, Approval.ONE_LEVEL, priority=1),
    "limit": lambda of: make.ruled(LimitRule(merchant=of, payment_units=make.usdt("50"), asset="USDT")),
    "endpoint": lambda of: endpoints.register(of, **HOOK, now=make.now()),
}


def test_a_changed_rule_binds_the_very_next_create(committed: Database) -> None:
    for change in CHANGES.values():
        merchant = ready()
        assert shortly(merchant) is not None
        change(merchant)
        assert shortly(merchant) is None  # stale: the long way decides
        if change is CHANGES["limit"]:
            with pytest.raises(limits.PaymentLimitExceeded):
                shortly(merchant)
        else:
            again = shortly(merchant)
            assert again is not None
            assert written(again) == written(Withdrawal.objects.get(id=make.withdrawal(merchant).id))
    endpoint = Message.objects.latest("created_at").endpoint
    endpoints.remove(endpoint)
    assert shortly(endpoint.merchant) is None
    before = Message.objects.count()
    assert shortly(endpoint.merchant) is not None
    assert Message.objects.count() == before


def test_every_table_that_is_kept_in_memory_raises_the_version(committed: Database) -> None:
    merchant = make.merchant()
    for change in CHANGES.values():
        before = RulebookVersion.objects.get().number
        change(merchant)
        assert RulebookVersion.objects.get().number > before
    before = RulebookVersion.objects.get().number
    endpoints.callback(merchant, api="public", url="https://hooks.example/one", events=["x"], now=make.now())
    assert RulebookVersion.objects.get().number == before


def test_what_needs_credit_or_is_not_there_leaves_nothing_behind(committed: Database) -> None:
    merchant = ready(funds="100", credit="50")
    before = Withdrawal.objects.count(), Event.objects.count(), make.holds(merchant)
    assert shortly(merchant, "credit") is None
    assert shortly(merchant, "none", amount="500") is None
    assert (Withdrawal.objects.count(), Event.objects.count(), make.holds(merchant)) == before
    assert not IdempotencyKey.objects.exists()
    ways = short.Ways(
        wish=lambda: short.Wish(order(merchant)),
        create=lambda: withdrawals.create(order(merchant), now=make.now()),
        refusals=(posting.InsufficientFunds,),
    )
    told, is_new = short.once(scope(merchant, "credit"), ways, lambda row: (201, {"id": str(row.id)}), now=make.now())
    assert is_new
    assert Withdrawal.objects.get(id=told[1]["id"]).credit_units == make.usdt("2")


def test_an_extraction_rests_on_the_flag_and_the_address_until_it_is_written(committed: Database) -> None:
    shop = shops.shop(funds="1000")
    assert shop.caller.extract(amount=1).status_code == 201
    clerk = Supervisor.objects.get(id=shop.supervisor(buyUsdtActive=True).get("/supervisor/me").json()["id"])

    def wish() -> short.Wish:
        found = extractions.wish(extractions.Wanted(shop.store, clerk.person, clerk, None, Decimal(5)))
        assert found is not None
        return found

    def made(wanted: short.Wish) -> bool:
        return short.create(wanted, lambda _: ANSWER, None, now=make.now()) is not None

    wanted = wish()
    assert made(wanted)
    supervisors.set_flags(clerk, supervisors.Flags(buy_usdt_active=False))
    assert not made(wanted)
    supervisors.set_flags(clerk, supervisors.Flags(buy_usdt_active=True))
    assert made(wanted)
    QrCode.objects.update(last_address=make.EVM_ADDRESS)
    assert not made(wanted)


def test_our_own_wallets_are_no_destination(committed: Database) -> None:
    merchant, wallet = ready(), make.lane("tron")
    assert shortly(merchant, destination=wallet.address) is None
    with pytest.raises(addresses.BadAddress):
        make.withdrawal(merchant, destination=wallet.address)
