"""Schemathesis against the `tenant` API: every call answers as its document says, whatever is thrown at it.

The document's examples and random cases, right and wrong ones; boundary values are in test_tenant_bad_input.
"""

import uuid
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Err
from schemathesis.pytest import lazy

from chain import codes
from config import urls
from config.wsgi import application
from payouts.api import base, docs
from payouts.api.tenant import wire
from payouts.rates.models import Rate
from payouts.subaccounts import subaccounts, transfers
from payouts.subaccounts.models import Transfer
from payouts.webhooks import endpoints
from tests import make
from tests.api import sides, test_schemathesis

side = test_schemathesis.side  # the fixture: a merchant to whom everything is there
pytestmark = pytest.mark.django_db
CONFIG = test_schemathesis.CONFIG | {
    "generation": {**test_schemathesis.CONFIG["generation"], "max-examples": 2},  # type: ignore[dict-item]  # a table
    "phases": {"coverage": {"enabled": False}},
}
IDS = ("app_id", "number", "withdrawal_id", "transaction_id", "wallet_id")
OPENS = "tenant, read write admin"  # a token for everything; test_every_route asks with each set of scopes
CODE, BLOCKCHAIN, ASSET = "USDTTRC20", "TRX", "USDT"


def loaded() -> Any:
    document = docs.Generator(docs.DOCUMENTS["tenant"], urls.APIS["tenant"]).whole()
    del document["paths"]["/o/token/"]  # its body is no JSON; test_tenant_oauth has it
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = application
    return schema


def fitted(case: Any, known: Any) -> Any:
    """The case with ids of things that exist, and a right one with a currency, an amount and an address that fit."""
    if base.KEY_FORM.fullmatch(str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if not case.meta.generation.mode.is_positive:
        return case
    fitting = {name: known[name] for name in IDS} | {
        "currency": CODE,
        "blockchain": BLOCKCHAIN,
        "token": ASSET,
        "type": BLOCKCHAIN,
        "price_currency": "USD",
        "address": make.TRON_ADDRESS,
        "external_id": uuid.uuid4().hex,
        "scope": "read write",
        "currency_from": "USD",
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
    }
    if isinstance(case.body, dict):
        amount = 1 if case.operation.path.startswith("/wallets/") else 50
        fitting |= {"amount": amount, "price_amount": amount}
    for place in (case.path_parameters, case.query, case.body):
        for name in place if isinstance(place, dict) else ():
            if name in fitting and place[name] is not None:
                place[name] = fitting[name]
    if case.operation.path == "/wallets/balances/" and isinstance(case.body, dict):
        case.body.pop("external_id", None)
        case.body["wallet_id"] = known["wallet_id"]
    if isinstance(case.query, dict) and case.query.get("include_usd"):
        case.query["min_max"] = "true"
    return case


@pytest.mark.timeout(300)
def test_the_tenant_api_answers_as_its_document_says(side: sides.Side, subtests: pytest.Subtests) -> None:
    for code in codes.CODES.values():
        Rate.objects.get_or_create(base=code.asset, quote="USD", defaults={"rate": Decimal(1), "at": make.now()})
    url = "https://shop.example/in"
    endpoints.only(side.merchant, api=wire.API, url=url, events=wire.EVENTS, now=make.now())
    part = subaccounts.of(side.merchant).get()
    order = transfers.Order(side.merchant, wire.API, part, Transfer.Direction.TO_SUB, ASSET, "tron", 10**8, "tests")
    transfers.do(transfers.accept(order, now=make.now()).id, now=make.now())

    def check(case: Any) -> None:
        before = transaction.savepoint()
        fitted(case, side.known["tenant"]).call_and_validate(headers=dict(side.headers[OPENS]))
        transaction.savepoint_rollback(before)  # each case finds what the first one found

    for made in lazy.get_all_tests(schema=loaded(), test_func=check, settings=None, given_kwargs=None):
        if isinstance(made, Err):
            raise made.err()
        operation, cases = made.ok()
        with subtests.test(operation.label):
            cases()
