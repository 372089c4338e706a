"""A merchant's program that speaks the `public` API by its document alone, and the merchant's users."""

import json
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import bip32
import pytest
from django.db import transaction
from django.test import Client

from ledger.accounts import Purpose, Ref
from ledger.balances import balance
from ledger.models import Event
from payouts.merchants import pairs
from payouts.merchants.models import ApiKey, Merchant
from payouts.merchants.user_models import UserWallet, WithdrawalSettings
from payouts.payments import addresses, crediting, wallets
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals import advance
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make

BASE = "/api/v1"
CREATE_PATH, REQUESTS = "/public/user/withdrawal/create", "/public/withdrawal-requests"
USER = "user-12345"
PATHS = {"ethereum": "m/44'/60'/0'", "tron": "m/44'/195'/0'"}
SEED = bytes(range(32))
CREATE = {"userId": USER, "walletAddress": make.TRON_ADDRESS, "amount": 50, "currencyType": "USDT-TRC20"}
# The steps that lead to a documented status, by the door that a withdrawal came in by.
ROADS = {
    "create": {
        "processing": ("auto_approve", "dispatch"),
        "completed": ("auto_approve", "dispatch", "complete"),
        "failed": ("auto_approve", "dispatch", "fail"),
    },
    "request": {
        "pending": (),
        "processing": ("merchant_approve", "dispatch"),
        "completed": ("merchant_approve", "dispatch", "complete"),
        "failed": ("merchant_approve", "dispatch", "fail"),
        "rejected": ("reject",),
        "cancelled": ("cancel",),
    },
}


def conformance(line: str) -> pytest.MarkDecorator:
    """The documented line that a test holds."""
    return pytest.mark.conformance(f"public {line}")


@dataclass(frozen=True, slots=True)
class Program:
    """A key pair in a merchant's hands."""

    merchant: Merchant
    apikey: str
    api_secret: str

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        **more: str,
    ) -> Any:
        raw = json.dumps(body) if isinstance(body, dict) else body if body is not None else b""
        sent = {"apikey": self.apikey, "x-api-secret": self.api_secret} if headers is None else headers
        sent = sent | {name.replace("_", "-"): value for name, value in more.items()}
        return Client().generic(method, BASE + path, raw, content_type=content_type, headers=sent)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Any:
        return self.call("POST", path, {} if body is None else body, **more)

    def create(self, **changes: Any) -> Any:
        return self.post(CREATE_PATH, CREATE | changes)

    def request(self, **changes: Any) -> Any:
        return self.post(REQUESTS, CREATE | changes)

    def status(self, withdrawal_id: str) -> str:
        return str(self.get(f"/public/payout/get?id={withdrawal_id}").json()["data"]["status"])


def program(*, funds: str = "1000", user_funds: str = "500", mode: str = Merchant.Mode.LIVE) -> Program:
    """A merchant with money of its own, whose user-12345 has deposited some more."""
    enrol_keys()
    merchant = make.merchant(funds=funds, mode=mode)
    issued = pairs.issue(merchant, api="public")
    wallet(merchant, USER, deposited=user_funds)
    return Program(merchant, issued.apikey, issued.api_secret)


def colleague(of: Program) -> Program:
    """Another key pair of the same merchant's, with limits of its own."""
    issued = pairs.issue(of.merchant, api="public")
    return Program(of.merchant, issued.apikey, issued.api_secret)


def switch_off(program: Program) -> None:
    """What the admin does to a key that is not to be used any more."""
    ApiKey.objects.filter(key_id=program.apikey.rpartition("_")[0]).update(is_active=False)


def wallet(of: Merchant, user_id: str, *, deposited: str = "0") -> UserWallet:
    details: dict[str, object] = {"email": f"{user_id}@shop.example"}
    made = wallets.generate(of, user_id, details=details, networks=[*PATHS], now=make.now()).wallet
    if float(deposited):
        deposit(made, deposited)
    return made


def deposit(to: UserWallet, amount: str, *, network: str = "tron") -> None:
    crediting.credit(
        to,
        deposit_id=uuid.uuid4(),
        network=network,
        asset="USDT",
        amount_units=make.usdt(amount),
        reference="test deposit",
    )


def enrol_keys() -> None:
    tree = bip32.BIP32.from_seed(SEED)
    for network, path in PATHS.items():
        addresses.enrol(network, path=path, xpub=tree.get_xpub_from_path(path), now=make.now())


def set_up(of: Merchant, **settings: Any) -> None:
    """What the merchant's people set in Dashboard > Settings."""
    WithdrawalSettings.objects.update_or_create(merchant=of, defaults=settings)


def reach(withdrawal_id: str, status: str) -> Withdrawal:
    """Take a withdrawal of this API to a documented status, by the state table's own steps."""
    withdrawal = Withdrawal.objects.get(id=withdrawal_id)
    for verb in ROADS[withdrawal.channel][status]:
        withdrawal = step(withdrawal_id, verb)
    return withdrawal


def step(withdrawal_id: str, verb: str) -> Withdrawal:
    """One step of the state table."""
    with transaction.atomic():
        withdrawal = advance.locked(UUID(withdrawal_id))
        if verb in ("complete", "fail"):
            withdrawal.txid = "ab" * 32
        return advance.take(withdrawal, verb, advance.By("tests"), now=make.now())


def owed(of: Merchant, user_id: str = USER) -> tuple[int, int]:
    """What the user may take out and what is on its way, in USDT's smallest unit."""
    wallet = UserWallet.objects.get(merchant=of, user_id=user_id)
    refs = (Ref(of.id, wallet.id, "USDT", purpose) for purpose in (Purpose.MEMO, Purpose.MEMO_FROZEN))
    available, pending = (balance(ref).balance_units for ref in refs)
    return available, pending


def state(of: Merchant) -> tuple[object, ...]:
    """All that a refused call must leave as it is."""
    rows = tuple(model.objects.count() for model in (Withdrawal, Event, Message, Endpoint, IdempotencyKey, UserWallet))
    return make.holds(of), rows


def error(answer: Any) -> tuple[int, str]:
    """The status and the text, after a look at the envelope."""
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["code"].isupper()
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, body["error"]["message"]


def data(answer: Any, *, status: int = 200) -> Any:
    """What is under `data`, after a look at the envelope."""
    body = answer.json()
    assert answer.status_code == status, body
    assert set(body) == {"success", "message", "data"}
    assert body["success"] is True
    return body["data"]
