"""A store, its people and their programs: what speaks the `extraction` API by its document alone."""

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.models import Event
from ledger.posting import Kind, Movement
from payouts.merchants import stores
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import AddressChange, Login, QrCode, Store, Supervisor
from payouts.withdrawals import advance
from payouts.withdrawals.models import Approval, IdempotencyKey, Withdrawal
from tests import make
from tests.api.speaker import ROADS

BASE = "/api/v1"
CREATE = f"{BASE}/extraction/to-usdt"
MONEY = {"amount": 500, "address": make.TRON_ADDRESS}
conformance: Callable[[str], pytest.MarkDecorator] = lambda line: pytest.mark.conformance(f"extraction {line}")  # noqa: E731 - a mark with its API filled in


def call(
    method: str, target: str, body: Any = None, *, token: str | None = None, origin: str = "127.0.0.1", **headers: str
) -> Any:
    """One request; a body that is no text yet becomes JSON."""
    raw = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if name != "content_type"}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    content_type = headers.get("content_type", "application/json")
    path = BASE + target.removeprefix(BASE)
    return Client().generic(method, path, raw, content_type=content_type, headers=sent, REMOTE_ADDR=origin)


@dataclass(slots=True)
class Caller:
    """Somebody with a name and a password; logs in once, when a token is first needed."""

    username: str
    password: str = make.PASSWORD
    tokens: dict[str, str] = field(default_factory=dict)

    def log_in(self) -> dict[str, str]:
        origin = f"10.{'.'.join(str(byte) for byte in os.urandom(3))}"  # logins are counted by address
        answer = call("POST", "/auth/login", {"username": self.username, "password": self.password}, origin=origin)
        assert answer.status_code == 200, answer.content
        self.tokens = answer.json()
        return self.tokens

    def call(self, method: str, target: str, body: Any = None, **headers: str) -> Any:
        token = (self.tokens or self.log_in())["accessToken"]
        return call(method, target, body, token=token, **headers)

    def get(self, target: str) -> Any:
        return self.call("GET", target)

    def post(self, target: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", target, body, **headers)

    def extract(self, **changes: Any) -> Any:
        """The seed's request, changed; a field that is None is left out."""
        body = {name: value for name, value in (MONEY | changes).items() if value is not None}
        return self.post(CREATE, body)


@dataclass(frozen=True, slots=True)
class Shop:
    """A store with its person."""

    store: Store
    caller: Caller

    @property
    def merchant(self) -> Merchant:
        return self.store.merchant

    @property
    def qr_code(self) -> QrCode:
        return QrCode.objects.get(store=self.store)

    def ref(self, purpose: Purpose) -> Ref:
        return stores.account(self.store, self.qr_code.account, self.qr_code.currency, purpose)

    def deposit(self, amount_units: int) -> None:
        outside = make.account(self.merchant, Purpose.EXTERNAL, "tron")
        inside = self.ref(Purpose.AVAILABLE)
        posting.post([Movement(uuid.uuid4(), uuid.uuid4(), Kind.DEPOSIT, outside, inside, amount_units)])

    def lend(self, limit_units: int) -> None:
        posting.set_credit_limit(self.ref(Purpose.CREDIT), limit_units=limit_units, by="tests", at=make.now())

    def account(self) -> dict[str, Any]:
        answer = self.caller.get(f"/account/{self.qr_code.account}")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def has(self) -> tuple[Any, Any]:
        """The balance and the available credit, as the API says them."""
        shown = self.account()
        return shown["balance"], shown["availableCredit"]

    def supervisor(self, **flags: bool) -> Caller:
        """A new supervisor of the store's, made and given flags over the API."""
        email = f"{uuid.uuid4().hex[:8]}@shop.example"
        made = self.caller.post("/supervisor", {"name": "Sam", "email": email}).json()
        if flags:
            assert self.caller.call("PATCH", f"/supervisor/{made['id']}", flags).status_code == 200
        return Caller(made["username"], made["password"])

    def buyer(self) -> Caller:
        return self.supervisor(buyUsdtActive=True)


def shop(
    *,
    funds: str = "0",
    credit: str = "0",
    mode: str = Merchant.Mode.LIVE,
    of: Merchant | None = None,
    bare: bool = False,
) -> Shop:
    """A store whose extractions nobody's approval is asked for, so that tests reach every status.

    In test mode approvers are: without them an address that only looks right is refused.
    """
    merchant = of or make.merchant(mode=mode)
    if of is None and mode == Merchant.Mode.LIVE:
        make.policy(merchant, Approval.NONE)
    person = User.objects.create_user(f"store-{uuid.uuid4().hex[:8]}", password=make.PASSWORD)
    made = Shop(stores.make(merchant, name="corner shop", person=person), Caller(person.username))
    if not bare:
        stores.assign_qr_code(made.store)
        if Decimal(funds):
            made.deposit(make.usdt(funds))
        if Decimal(credit):
            made.lend(make.usdt(credit))
    return made


def reach(withdrawal_id: str, status: str) -> Withdrawal:
    """Take a new extraction to a status, by the table's own steps."""
    withdrawal = Withdrawal.objects.get(id=UUID(withdrawal_id))
    for verb in ROADS[status]:
        with transaction.atomic():
            withdrawal = advance.locked(withdrawal.id)
            if verb in ("complete", "fail"):
                withdrawal.txid = "ab" * 32
            withdrawal = advance.take(withdrawal, verb, advance.By("tests"), now=make.now())
    return withdrawal


def state(of: Merchant) -> tuple[object, ...]:
    """All that a refused call must leave as it is."""
    held = {ref.id: held for ref, held in balances.book(of.id)}
    tables = (Withdrawal, Event, IdempotencyKey, AddressChange, Supervisor, User, Login)
    return held, [model.objects.count() for model in tables], list(QrCode.objects.values_list("last_address"))


def error(answer: Any) -> tuple[int, str]:
    """The status and the text, after a look at the envelope."""
    body = answer.json()
    assert set(body) == {"statusCode", "message", "error"}
    assert body["statusCode"] == answer.status_code
    assert isinstance(body["message"], str)
    assert body["error"] == answer.reason_phrase
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, body["message"]
