"""Merchants for the api section, made through the product's services, and what their programs send."""

import secrets
import time
from collections.abc import Callable, Mapping

from django.contrib.auth.models import User
from django.utils import timezone

from payouts.api.merchant import auth as signing
from payouts.merchants import keys, logins, pairs, stores, tokens
from payouts.merchants.models import Merchant
from payouts.webhooks import endpoints
from payouts.withdrawals import steps
from tests import make
from tests.api import shops, users
from tests.bench.serving import Shot

FUNDS = "1000000000"
ADDRESS = make.TRON_ADDRESS
IN = {"Content-Type": "application/json", "Idempotency-Key": "{fresh}"}


def told(merchant: Merchant, *, api: str, events: list[str]) -> None:
    """The merchant's URL, so that each event is written into the outbox."""
    url = "https://receiver.example/hooks"
    endpoints.register(merchant, api=api, url=url, events=events, now=timezone.now())


def enrol() -> None:
    """What only the tables' owner may set up."""
    users.enrol_keys()


def merchant() -> Shot:
    """`POST /v1/withdrawals`."""
    made = make.merchant(funds=FUNDS)
    told(made, api="merchant", events=sorted(set(steps.EVENTS)))
    body = {"amount": "500.00", "destination_address": ADDRESS, "network": "TRC20"}
    return Shot("POST", "/v1/withdrawals", IN | bearer(made), body)


def bearer(of: Merchant) -> dict[str, str]:
    """The documented header, good for five minutes."""
    issued, ts = keys.issue(of, api="merchant"), int(time.time())
    signature = signing.signature(issued.secret, key_id=issued.key.key_id, unix_ts=ts)
    return {"Authorization": f"Bearer {issued.key.key_id}:{ts}:{signature}"}


def extraction() -> Shot:
    """`POST /api/v1/extraction/to-usdt`."""
    person = User.objects.create_user(f"store-{secrets.token_hex(8)}")
    store = stores.make(make.merchant(), name="corner shop", person=person)
    stores.assign_qr_code(store)
    shop = shops.Shop(store, shops.Caller(person.username))
    shop.deposit(make.usdt(FUNDS))
    token = logins.start(person, now=timezone.now()).access
    body = {"amount": 500, "address": ADDRESS}
    return Shot("POST", "/api/v1/extraction/to-usdt", IN | {"Authorization": f"Bearer {token}"}, body)


def public() -> Shot:
    """`POST /api/v1/public/user/withdrawal/create`."""
    made = make.merchant(funds=FUNDS)
    told(made, api="public", events=sorted({*steps.EVENTS, steps.WAITS_FOR_MERCHANT}))
    users.wallet(made, users.USER, deposited=FUNDS)
    issued = pairs.issue(made, api="public")
    headers = IN | {"apikey": issued.apikey, "x-api-secret": issued.api_secret}
    return Shot("POST", "/api/v1/public/user/withdrawal/create", headers, users.CREATE)


def invoice() -> Shot:
    """`POST /v2/invoice/api/out/create`."""
    made = make.merchant(funds=FUNDS)
    issued = tokens.issue(made, api="invoice", use=tokens.WITHDRAWAL)
    body = {"currency_code": "USDT_TRC20", "to_address": ADDRESS, "amount": "500"}
    return Shot("POST", "/v2/invoice/api/out/create", IN | {"Authorization": f"Token {issued.token}"}, body)


def bare() -> Shot:
    """The peer's request: the same fields."""
    body = {"amount": "500000000", "destination_address": ADDRESS, "network": "TRC20"}
    return Shot("POST", "/rows", {"Content-Type": "application/json"}, body)


CREATES: Mapping[str, tuple[Callable[[], Shot], int]] = {
    "merchant": (merchant, 201),
    "extraction": (extraction, 201),
    "public": (public, 201),
    "invoice": (invoice, 200),
}
