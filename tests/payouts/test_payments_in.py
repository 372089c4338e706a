"""Payments in: every way to pay too little, too much, twice, too late or not at all has its end; all money counts."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from chain import units
from chain.models import Incoming
from ledger import audit, balances
from ledger.accounts import Purpose, Ref
from payouts.currencies import currencies
from payouts.merchants.models import Merchant
from payouts.payments import payment_queries, payment_steps, payments, pricing
from payouts.payments.payment_models import Deposit, Payment, PaymentStep, Status
from payouts.rates.rates import Quote
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from tests import make
from tests.api import users
from tests.payouts import arrivals

pytestmark = pytest.mark.django_db
DUE = make.usdt("100")
HOUR = timedelta(hours=1)


@pytest.fixture
def shop() -> Merchant:
    users.enrol_keys()
    return make.merchant()


def asked(shop: Merchant, amount: Any = Decimal(100), **changes: Any) -> Payment:
    wanted: dict[str, Any] = {"api": "tenant", "asset": "USDT", "network": "tron", "valid_for": HOUR}
    return payments.create(payments.Order(merchant=shop, amount=amount, **(wanted | changes)), now=make.now())


def pay(payment: Payment, units: int, **changes: Any) -> Incoming:
    return arrivals.came_in(payment.network, payment.address, units, **changes)


LATE = {"block_at": make.now() + 2 * HOUR}
# fmt: off
ENDS: dict[str, tuple[list[tuple[str, dict[str, Any]]], bool, Status]] = {
    #                        transfers (coins, changes)                        time passes  ends as
    "nothing":              ([],                                               True,        Status.EXPIRED),
    "exactly":              ([("100", {})],                                    True,        Status.FINISHED),
    "in two parts":         ([("60", {}), ("40", {})],                         True,        Status.FINISHED),
    "too little so far":    ([("60", {})],                                     False,       Status.PARTIALLY_PAID),
    "too little":           ([("60", {})],                                     True,        Status.UNDERPAID),
    "too much":             ([("100.000001", {})],                             True,        Status.OVERPAID),
    "twice":                ([("100", {}), ("100", {})],                       True,        Status.OVERPAID),
    "two parts, too much":  ([("60", {}), ("60", {})],                         True,        Status.OVERPAID),
    "late":                 ([("100", LATE)],                                  False,       Status.PAID_LATE),
    "half of it late":      ([("60", {}), ("40", LATE)],                       False,       Status.PAID_LATE),
    "late, and again":      ([("100", LATE), ("1", LATE)],                     False,       Status.PAID_LATE),
    "paid, then again late": ([("100", {}), ("5", LATE)],                      False,       Status.OVERPAID),
}
# fmt: on


@pytest.mark.parametrize("case", ENDS)
@pytest.mark.parametrize("at_once", [True, False])
def test_every_way_to_pay_has_its_end_and_all_that_came_is_credited(
    shop: Merchant, case: str, *, at_once: bool
) -> None:
    transfers, time_passes, end = ENDS[case]
    payment = asked(shop)
    for amount, changes in transfers:
        pay(payment, make.usdt(amount), **changes)
        if not at_once:
            arrivals.book()
    arrivals.book()
    if time_passes:
        arrivals.read_up_to("tron", payment.expires_at + timedelta(seconds=1))
    arrivals.look()
    assert arrivals.status(payment) == end
    total = sum(make.usdt(amount) for amount, _ in transfers)
    assert make.holds(shop).get("available", 0) == total == Payment.objects.get().received_units
    assert audit.prove().problems == []


def test_what_is_late_after_the_payment_has_expired_is_credited_and_told(shop: Merchant) -> None:
    payment = asked(shop)
    arrivals.read_up_to("tron", payment.expires_at + timedelta(seconds=1))
    assert arrivals.look() == 1
    pay(payment, DUE, block_at=payment.expires_at + timedelta(seconds=1))
    arrivals.book()
    assert arrivals.status(payment) == Status.PAID_LATE
    assert make.holds(shop)["available"] == DUE


def test_what_came_in_time_is_in_time_however_late_it_is_booked(shop: Merchant) -> None:
    payment = asked(shop)
    pay(payment, DUE, block_at=payment.expires_at)
    arrivals.read_up_to("tron", payment.expires_at + 5 * HOUR)
    assert arrivals.look() == 0, "it is on its way"
    arrivals.book()
    assert arrivals.status(payment) == Status.FINISHED


def test_a_network_that_nobody_reads_lets_nothing_expire(shop: Merchant) -> None:
    payment = asked(shop)
    arrivals.read_up_to("ethereum", payment.expires_at + HOUR)
    arrivals.read_up_to("tron", payment.expires_at - timedelta(seconds=1))
    assert arrivals.look() == 0


def test_a_transfer_that_is_taken_back_is_confirming_no_more(shop: Merchant) -> None:
    payment = asked(shop)
    row = pay(payment, DUE, state="SEEN")
    assert arrivals.book() == []
    assert (arrivals.look(), arrivals.status(payment)) == (1, Status.CONFIRMING)
    assert arrivals.look() == 0
    row.delete()
    assert (arrivals.look(), arrivals.status(payment)) == (1, Status.WAITING)
    assert make.holds(shop) == {}


@pytest.mark.parametrize(("by_user", "due", "available"), [(True, "101", "100"), (False, "100", "99")])
def test_the_fee_is_paid_by_whom_the_order_names_and_parts_add_up(
    shop: Merchant, *, by_user: bool, due: str, available: str
) -> None:
    payment = asked(shop, fee_percent=Decimal(1), is_fee_paid_by_user=by_user)
    assert payment.due_units == make.usdt(due)
    parts = [make.usdt("33.333333"), make.usdt("33.333333")]
    for units_ in (*parts, payment.due_units - sum(parts)):
        pay(payment, units_)
        arrivals.book()
    held = make.holds(shop)
    assert (held["available"], held["fees"]) == (make.usdt(available), make.usdt("1"))
    assert arrivals.status(payment) == Status.FINISHED
    assert audit.prove().problems == []


def test_a_sub_accounts_payment_is_credited_to_it(shop: Merchant) -> None:
    owner = uuid.uuid4()
    payment = asked(shop, owner=owner)
    pay(payment, DUE)
    arrivals.book()
    assert balances.balance(Ref(shop.id, owner, "USDT", Purpose.AVAILABLE)).balance_units == DUE
    assert balances.balance(make.account(shop, Purpose.AVAILABLE)).balance_units == 0


def test_a_price_is_turned_into_coins_rounded_up_and_floats_until_it_is_seen(shop: Merchant) -> None:
    def rate(coins: str, currency: str = "USD") -> Quote:
        return Quote(currency, "USDT", Decimal(coins), "tests", make.now())

    fixed = asked(shop, pricing.Price(Decimal("100.01"), rate("1.0000001")))
    assert fixed.due_units == make.usdt("100.010011")
    with pytest.raises(payments.NotRepriced):
        payments.reprice(fixed.id, rate=rate("2"), now=make.now())
    payment = asked(shop, pricing.Price(Decimal(100), rate("1")), is_fixed_rate=False)
    with pytest.raises(payments.NotRepriced):
        payments.reprice(payment.id, rate=rate("2", "EUR"), now=make.now())
    assert payments.reprice(payment.id, rate=rate("1.1"), now=make.now()).due_units == make.usdt("110")
    pay(payment, make.usdt("110"), state="SEEN")
    arrivals.look()
    with pytest.raises(payments.NotRepriced):
        payments.reprice(payment.id, rate=rate("1.2"), now=make.now())


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1E+99", "0.0000001"])
def test_what_is_no_amount_asks_for_nothing(shop: Merchant, amount: str) -> None:
    rate = Quote("USD", "USDT", Decimal(1), "tests", make.now())
    for wanted in (Decimal(amount), pricing.Price(Decimal(amount), rate)):
        with pytest.raises((units.BadAmount, currencies.OutOfRange)):
            asked(shop, wanted)
    assert not Payment.objects.exists()


def test_amounts_beyond_the_rows_are_refused(shop: Merchant) -> None:
    for amount in ("9.999999", "100000.000001"):
        with pytest.raises(currencies.OutOfRange):
            asked(shop, Decimal(amount))
    for amount in ("10", "100000"):
        asked(shop, Decimal(amount))


def test_unknown_tokens_and_dust_are_listed_and_nothing_else(shop: Merchant) -> None:
    payment = asked(shop)
    pay(payment, DUE, asset="", contract="T" * 34)
    pay(payment, make.usdt("0.009999"))
    arrivals.book()
    found = set(Deposit.objects.values_list("status", "amount_units"))
    assert found == {("IGNORED", DUE), ("IGNORED", make.usdt("0.009999"))}
    assert make.holds(shop) == {}
    assert arrivals.status(payment) == Status.WAITING
    assert arrivals.book() == [], "they are booked"


def test_another_asset_at_a_payments_address_is_credited_and_pays_nothing_off(shop: Merchant) -> None:
    payment = asked(shop)
    pay(payment, 5_000_000, asset="TRX", contract="", index=0)
    arrivals.book()
    assert arrivals.status(payment) == Status.WAITING
    assert make.holds(shop) == {"available": 5_000_000, "external/tron": -5_000_000}


def test_each_step_is_told_to_the_payments_own_url_and_kept(shop: Merchant) -> None:
    url, events = "https://shop.example/one", [payment_steps.EVENT]
    callback = endpoints.callback(shop, api="tenant", url=url, events=events, now=make.now())
    payment = asked(shop, callback=callback, order_id="order_123")
    other = asked(shop)
    pay(payment, make.usdt("60"), state="SEEN")
    arrivals.look()
    Incoming.objects.update(state="CONFIRMED")
    pay(payment, make.usdt("40"))
    pay(other, DUE)
    arrivals.book()
    told = [(one.event, one.data["status"], one.data["received_units"]) for one in Message.objects.order_by("id")]
    assert told == [
        ("payment_status_update", "CONFIRMING", "0"),
        ("payment_status_update", "PARTIALLY_PAID", "60000000"),
        ("payment_status_update", "FINISHED", "100000000"),
    ]
    verbs = PaymentStep.objects.filter(payment=payment).values_list("verb", flat=True)
    assert list(verbs) == ["create", "see", "part", "finish"]


@pytest.mark.parametrize("verb", payment_steps.STEPS)
@pytest.mark.parametrize("status", ["", *Status.values])
def test_the_table_alone_says_where_a_verb_leads(verb: str, status: str) -> None:
    step = payment_steps.STEPS[verb]
    allowed = status in step.source if step.source else not status
    if allowed:
        assert payment_steps.taken(verb, status) == step.target
    else:
        with pytest.raises(payment_steps.StepRefused):
            payment_steps.taken(verb, status)


def test_lists_are_the_merchants_own_and_filtered(shop: Merchant) -> None:
    first, second = asked(shop), asked(shop, network="ethereum")
    foreign = asked(make.merchant())
    pay(first, DUE)
    arrivals.book()

    def ids(**wanted: Any) -> list[Any]:
        found = payment_queries.page(shop, payment_queries.Filter(**wanted), offset=0, limit=10)
        assert found.total == len(found.payments)
        return [one.id for one in found.payments]

    assert ids() == [second.id, first.id]
    assert ids(status="FINISHED") == [first.id]
    assert ids(network="ethereum", asset="USDT") == [second.id]
    assert ids(asset="TRX") == []
    assert payment_queries.find(shop, foreign.id) is None
    assert [one.amount_units for one in payment_queries.deposits(first)] == [DUE]


def test_a_payments_address_is_its_own_and_its_money_and_status_agree(shop: Merchant) -> None:
    one, other = asked(shop), asked(shop)
    assert one.address != other.address
    for wrong in ({"status": "FINISHED"}, {"received_units": 5}, {"due_units": 1}, {"address": other.address}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(id=one.id).update(**wrong)
