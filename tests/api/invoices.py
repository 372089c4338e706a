"""A merchant's program that speaks the `invoice` API by its document alone."""

import json
import os
import time
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.test import Client

from chain import networks, units
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.models import Event
from ledger.posting import Kind, Movement
from payouts.merchants import pairs, tokens
from payouts.merchants.models import ApiKey, Merchant
from payouts.webhooks.models import Message
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make

CREATE_PATH = "/v2/invoice/api/out/create"
BALANCES_PATH = "/v2/merchant/wallet/balance/all"
RECIPIENTS = {"evm": make.EVM_ADDRESS, "tron": make.TRON_ADDRESS}
SEED = {
    "currency_code": "ETH",
    "to_address": make.EVM_ADDRESS,
    "amount": 0.003,
}  # the document's, its address written out
# Verbatim from the document.
DOCUMENTED = (
    "BTC, LTC, TRX, SOL, TON, BNB, ETH, ETH_ARB, ETH_BASE, ETH_OPT, USDT_ARB, USDT_BSC, USDT_ERC20, USDT_OPT, "
    "USDT_SOL, USDT_TON, USDT_TRC20, USDC_ARB, USDC_BASE, USDC_BSC, USDC_ERC20, USDC_OPT, USDC_SOL, DAI_ARB, "
    "DAI_BASE, DAI_BSC, DAI_ERC20, DAI_OPT, USDD_TRC20, PYUSD_ERC20, PYUSD_SOL, XAUT_ERC20, XAUT_TON, ARB_ARB, "
    "OP_OPT, PEPE_BSC, PEPE_ERC20, SHIB_BSC, SHIB_ERC20, TRUMP_SOL"
)
CODES = DOCUMENTED.split(", ")


def conformance(line: str) -> pytest.MarkDecorator:
    """The documented line that a test holds."""
    return pytest.mark.conformance(f"invoice {line}")


def call(method: str, path: str, body: Any = None, *, token: str | None, **headers: str) -> Any:
    """One request; a body that is no text yet becomes JSON."""
    raw = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if name != "content_type"}
    if token is not None:
        sent.setdefault("Authorization", f"Token {token}")
    return Client().generic(
        method, path, raw, content_type=headers.get("content_type", "application/json"), headers=sent
    )


@dataclass(frozen=True, slots=True)
class Program:
    """A merchant's two keys in its hands."""

    merchant: Merchant
    withdrawal_token: str
    shop_token: str

    def create(self, body: Any = None, *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        """The document's request, changed; a field that is None is left out."""
        wanted = body
        if body is None:
            wanted = {name: value for name, value in (SEED | changes).items() if value is not None}
        return call("POST", CREATE_PATH, wanted, token=self.withdrawal_token, **(headers or {}))

    def balances(self) -> Any:
        return call("POST", BALANCES_PATH, token=self.shop_token)

    def balance(self, code: str) -> dict[str, Any]:
        """One code's entry, its numbers as they are written."""
        answer = json.loads(self.balances().content, parse_float=Decimal, parse_int=Decimal)
        return next(entry for entry in answer["result"] if entry["currency"]["code"] == code)

    def rested(self) -> "Program":
        """The same merchant's program with a key that nobody has used in the last twelve seconds."""
        return replace(self, withdrawal_token=issue(self.merchant, tokens.WITHDRAWAL))


def program(*, mode: str = Merchant.Mode.LIVE, **funds: str) -> Program:
    """A merchant with so much of each asset: `program(ETH="1")`."""
    merchant = make.merchant(mode=mode)
    for asset, amount in funds.items():
        deposit(merchant, asset, amount)
    return Program(merchant, issue(merchant, tokens.WITHDRAWAL), issue(merchant, tokens.SHOP))


def issue(merchant: Merchant, use: str) -> str:
    return tokens.issue(merchant, api="invoice", use=use).token


def public_pair(merchant: Merchant) -> pairs.Pair:
    """What the same merchant's program shows to the `public` API."""
    return pairs.issue(merchant, api="public")


def switch_off(token: str) -> None:
    """What the admin does to a key that is not to be used any more."""
    assert ApiKey.objects.filter(key_id=token.rpartition("_")[0]).update(is_active=False)


def deposit(to: Merchant, asset: str, amount: str) -> None:
    network = next(row.name for row in networks.NETWORKS.values() if asset in row.assets)
    outside = Ref(to.id, to.id, asset, Purpose.EXTERNAL, network)
    event, amount_units = uuid.uuid4(), units.to_units(asset, Decimal(amount))
    inside = Ref(to.id, to.id, asset, Purpose.AVAILABLE)
    posting.post([Movement(event, event, Kind.DEPOSIT, outside, inside, amount_units, reference="test deposit")])


def last_request(token: str, *, ago_s: float | None = None) -> float:
    """When Redis says that the key was last used; with `ago_s` it is made to say so, and nobody has to wait."""
    key_id = ApiKey.objects.get(key_id=token.rpartition("_")[0]).id
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as store:
        (name,) = store.scan_iter(f"*/{key_id}/*")
        if ago_s is not None:
            store.lset(name, 0, str(time.time() - ago_s))
        return float(store.lindex(name, 0) or 0)


def held(of: Merchant, asset: str) -> tuple[int, int]:
    """What is available and what is frozen, in the asset's smallest unit."""
    refs = [Ref(of.id, of.id, asset, purpose) for purpose in (Purpose.AVAILABLE, Purpose.FROZEN)]
    found = balances.of(refs)
    available, frozen = (found[ref].balance_units for ref in refs)
    return available, frozen


def state(of: Merchant) -> tuple[object, ...]:
    """All that a refused call must leave as it is."""
    rows = tuple(model.objects.count() for model in (Withdrawal, Event, Message, IdempotencyKey))
    return balances.book(of.id), rows


def result(answer: Any) -> Any:
    """What is under `result`, its numbers as they are written, after a look at the envelope."""
    assert answer.status_code == 200, answer.content
    body = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
    assert set(body) == {"status", "result"}
    assert body["status"] == "success"
    return body["result"]


def error(answer: Any) -> tuple[int, str]:
    """The status and the documented key, after a look at the envelope."""
    body = answer.json()
    assert set(body) == {"status", "result"}
    assert body["status"] == "error"
    ((key, text),) = body["result"].items()
    assert isinstance(text, str)
    assert text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, key
