"""A program that speaks the `merchant` API by its document alone: what it signs it computes here, by itself."""

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client

from ledger.accounts import Purpose
from ledger.balances import balance
from ledger.models import Event
from payouts.merchants import keys
from payouts.merchants.models import Merchant
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals import advance
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make

CREATE = {"amount": "500.00", "destination_address": make.TRON_ADDRESS, "network": "TRC20"}
ROADS = {
    "PENDING": (),
    "PENDING_REVIEW": ("flag",),
    "LEVEL1_APPROVED": ("approve_l1",),
    "APPROVED": ("auto_approve",),
    "PROCESSING": ("auto_approve", "dispatch"),
    "COMPLETED": ("auto_approve", "dispatch", "complete"),
    "FAILED": ("auto_approve", "dispatch", "fail"),
    "CANCELLED": ("cancel",),
    "REJECTED": ("reject",),
}


def conformance(line: str) -> pytest.MarkDecorator:
    """The documented line that a test holds."""
    return pytest.mark.conformance(f"merchant {line}")


def hmac_hex(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Program:
    """A key and its secret in a merchant's hands."""

    key_id: str
    secret: str

    def bearer(self, *, ts: float | None = None, **changes: str) -> str:
        """The documented header: hex(HMAC-SHA256(secret, "{key_id}.{unix_ts}"))."""
        ts = int(time.time() if ts is None else ts)
        part = {"key": self.key_id, "ts": str(ts), "sig": hmac_hex(self.secret, f"{self.key_id}.{ts}")} | changes
        return f"Bearer {part['key']}:{part['ts']}:{part['sig']}"

    def signed(self, method: str, target: str, body: bytes = b"", *, nonce: str = "", ts: float | None = None) -> str:
        """The stronger header, over the whole call."""
        ts, nonce = int(time.time() if ts is None else ts), nonce or uuid.uuid4().hex
        path, _, query = target.partition("?")
        call = [self.key_id, str(ts), nonce, method, path, query, hashlib.sha256(body).hexdigest()]
        return f"Bearer {self.key_id}:{ts}:{nonce}:{hmac_hex(self.secret, chr(10).join(call))}"

    def call(
        self,
        method: str,
        target: str,
        body: bytes | str | dict[str, Any] | None = None,
        *,
        authorization: str | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        raw = json.dumps(body) if isinstance(body, dict) else body or b""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = self.bearer() if authorization is None else authorization
        return Client().generic(method, target, raw, content_type=content_type, headers=sent)

    def get(self, target: str) -> Any:
        return self.call("GET", target)

    def post(self, target: str, body: bytes | str | dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("POST", target, body, **headers)


def program(of: Merchant) -> Program:
    issued = keys.issue(of, api="merchant")
    return Program(issued.key.key_id, issued.secret)


def reach(public_id: str, status: str) -> Withdrawal:
    """Take a new withdrawal of the API to a status, by the table's own steps."""
    withdrawal = Withdrawal.objects.get(id=internal(public_id))
    for verb in ROADS[status]:
        with transaction.atomic():
            withdrawal = advance.locked(withdrawal.id)
            if verb in ("complete", "fail"):
                withdrawal.txid = "ab" * 32
            withdrawal = advance.take(withdrawal, verb, advance.By("tests"), now=make.now())
    return withdrawal


def internal(public_id: str) -> UUID:
    """The 128 bits of a ULID, by its definition (Crockford base 32)."""
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for character in public_id.removeprefix("wd_"):
        number = number * 32 + digits.index(character)
    return UUID(int=number)


def state(of: Merchant) -> tuple[object, ...]:
    """All that a refused call must leave as it is."""
    holds = tuple(balance(make.account(of, purpose)) for purpose in (Purpose.AVAILABLE, Purpose.FROZEN))
    rows = tuple(model.objects.count() for model in (Withdrawal, Event, Message, Endpoint, IdempotencyKey))
    return holds, rows


def error(answer: Any) -> tuple[int, str]:
    """The status and the text, after a look at the envelope."""
    body = answer.json()
    assert set(body) == {"error"}
    assert isinstance(body["error"], str)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, body["error"]
