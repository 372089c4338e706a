"""A tenant's program that speaks the `tenant` API by its document alone."""

import base64
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client

from ledger.models import Event
from payouts.merchants import oauth
from payouts.merchants.models import Merchant
from payouts.merchants.oauth_models import SCOPES, Application
from payouts.webhooks.models import Endpoint, Message, SigningSecret
from payouts.withdrawals import advance
from payouts.withdrawals.models import Approval, IdempotencyKey, Withdrawal
from tests import make

FORM = "application/x-www-form-urlencoded"
SCOPED = ("read", "write", "admin", "read write", "read write admin")  # what a token may be good for
CREATE = {"amount": 50, "currency": "USDTTRC20", "address": make.TRON_ADDRESS}
PAYMENT = {"amount": 100, "currency": "USDTTRC20"}
# The steps that lead to a documented status.
ROADS = {
    "pending": (),
    "approved": ("auto_approve",),
    "processing": ("auto_approve", "dispatch"),
    "completed": ("auto_approve", "dispatch", "complete"),
    "failed": ("auto_approve", "dispatch", "fail"),
    "rejected": ("reject",),
    "cancelled": ("cancel",),
}


def conformance(line: str) -> pytest.MarkDecorator:
    """The documented line that a test holds."""
    return pytest.mark.conformance(f"tenant {line}")


def ask(
    client_id: str, client_secret: str, *, scope: str | None = "read write", basic: bool = False, **more: str
) -> Any:
    """Ask for a token as the document and RFC 6749 have it."""
    form = {"grant_type": "client_credentials"} | ({} if scope is None else {"scope": scope})
    headers = {}
    if basic:
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    return Client().post("/o/token/", urlencode(form | more), content_type=FORM, headers=headers)


@dataclass(frozen=True, slots=True)
class Program:
    """An application in a tenant's hands, and a token."""

    merchant: Merchant
    client_id: str
    client_secret: str
    token: str = ""

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
        sent = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        sent = sent | {name.replace("_", "-"): value for name, value in more.items()}
        return Client().generic(method, path, raw, content_type=content_type, headers=sent)

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: object = None, **more: Any) -> Any:
        return self.call("POST", path, {} if body is None else body, **more)

    def create(self, **changes: Any) -> Any:
        """The document's request, changed; a field that is None is left out."""
        return self.post("/withdrawal/", {name: one for name, one in (CREATE | changes).items() if one is not None})

    def with_scope(self, scope: str) -> "Program":
        """The same program with a token for other scopes."""
        return replace(self, token=token(self.client_id, self.client_secret, scope=scope))


def token(client_id: str, client_secret: str, *, scope: str = "read write") -> str:
    answer = ask(client_id, client_secret, scope=scope)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def program(
    *, funds: str = "1000", mode: str = Merchant.Mode.LIVE, of: Merchant | None = None, approval: str = ""
) -> Program:
    """A tenant with money, whose application may ask for every scope; `approval` is who must approve."""
    merchant = of or make.merchant(funds=funds, mode=mode)
    if approval:
        make.policy(merchant, Approval(approval))
    issued = oauth.issue(merchant, name="tests", scopes=SCOPES)
    made = Program(merchant, issued.application.client_id, issued.secret)
    return made.with_scope("read write")


def reach(withdrawal_id: str, status: str) -> Withdrawal:
    """Take a new withdrawal to a documented status, by the state table's own steps."""
    withdrawal = Withdrawal.objects.get(id=withdrawal_id)
    for verb in ROADS[status]:
        with transaction.atomic():
            withdrawal = advance.locked(UUID(withdrawal_id))
            if verb in ("complete", "fail"):
                withdrawal.txid = "ab" * 32
            withdrawal = advance.take(withdrawal, verb, advance.By("tests"), now=make.now())
    return withdrawal


def state(of: Merchant) -> tuple[object, ...]:
    """All that a refused call must leave as it is."""
    tables = (Withdrawal, Event, Message, Endpoint, IdempotencyKey, SigningSecret, Application)
    return make.holds(of), tuple(model.objects.count() for model in tables)


def error(answer: Any) -> tuple[int, str]:
    """The status and the code, after a look at the envelope."""
    body = answer.json()
    assert set(body) == {"error", "message"}, body
    assert body["message"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, str(body["error"])


def told(answer: Any, *, status: int = 200) -> Any:
    """The body of an answer that is no refusal."""
    assert answer.status_code == status, answer.content
    return answer.json()
