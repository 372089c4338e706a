"""Schemathesis against each API: every call answers as its OpenAPI document says, whatever is thrown at it.

Examples, boundary values and random cases, right and wrong ones, through the WSGI application, with all of
schemathesis's checks. The cases are the same in every run.
"""

import decimal
import itertools
import re
import uuid
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import limits
import pytest
import schemathesis
from django.db import connection, transaction
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Err
from schemathesis.pytest import lazy

from chain import codes, networks, units
from chain.assets import ASSETS
from config import urls
from config.wsgi import application
from payouts.api import base, docs, ids, throttling
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, FeeRule
from tests import make
from tests.api import invoices, sides

CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "database": "none", "max-examples": 5, "no-shrink": True},
    "suppress-health-check": ["all"],
}
APIS = ("extraction", "invoice", "merchant", "public")
LARGEST = "9" * 30  # the largest amount there can be
UUIDS = ("webhook_id", "delivery_id", "supervisor_id", "account_id", "id")
FORMS = {
    "run_id": re.compile(f"run_{ids.ULID_FORM.pattern}"),
    "public_id": re.compile(rf"{ids.ULID_FORM.pattern}|{ids.UUID_FORM.pattern}"),
    **dict.fromkeys(UUIDS, ids.UUID_FORM),
    "userId": re.compile(r"[^\x00]{1,128}"),
}
pytestmark = pytest.mark.django_db

# What is a URL by its form alone may be no place to send a webhook to; these are such places, and likewise for e-mail.
schemathesis.openapi.format("uri", st.from_regex(r"https://[a-z]{3,20}\.example/[a-z]{0,20}", fullmatch=True))
schemathesis.openapi.format("email", st.from_regex(r"[a-z]{1,20}@[a-z]{3,20}\.example", fullmatch=True))


def loaded(api: str) -> Any:
    document = docs.Generator(docs.DOCUMENTS[api], urls.APIS[api]).whole()
    # These two take 401 alone for a refusal; test_every_route asks every route of an API that documents another.
    asks = {"enabled": docs.DOCUMENTS[api].stranger == HTTPStatus.UNAUTHORIZED}
    checks = dict.fromkeys(("missing_required_header", "ignored_auth"), asks)
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG | {"checks": checks}))
    schema.app = application
    return schema


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch, settings: Settings, request: pytest.FixtureRequest) -> sides.Side:
    """A merchant for whom every amount that the documents allow is there, and costs nothing; calls are as good as free.

    In test mode, where the documents' form of an address is enough, since two people look at everything.
    """
    monkeypatch.setattr(throttling.RateLimit, "item", property(lambda _: limits.parse("1000000/minute")), raising=False)
    merchant = make.merchant(mode=Merchant.Mode.TEST)
    make.policy(merchant, Approval.TWO_LEVELS)
    for network, api in itertools.product(("tron", "ethereum"), ("merchant", "public")):
        make.ruled(FeeRule(merchant=merchant, api=api, asset="USDT", network=network, flat_units=0))
    made = sides.side(merchant, largest=LARGEST)
    for row in networks.NETWORKS.values():  # nobody listens there, and no create asks
        setattr(settings, row.urls_setting, ["http://127.0.0.1:1"])
    for asset in ASSETS:
        invoices.deposit(merchant, asset, LARGEST[:18])  # some count in 18 places
    with connection.cursor() as cursor:  # the making of cases takes its time
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    request.getfixturevalue("through_wsgi")  # after the last call of Django's test client, which ends it
    return made


def fitted(case: Any, known: Any) -> Any:
    """The case with what only an insider knows: ids of things that exist in the place of well-formed ones.

    A key that was used before is refused with another body, so well-formed keys become new ones.
    """
    if base.KEY_FORM.fullmatch(str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    for place in (case.path_parameters, case.query, case.body):
        for name, value in known.items():
            if isinstance(place, dict) and isinstance(place.get(name), str) and FORMS[name].fullmatch(place[name]):
                place[name] = value
    if isinstance(case.body, dict) and "currency_code" in case.body and case.meta.generation.mode.is_positive:
        case.body |= payable(case.body)
    return case


def payable(order: dict[str, Any]) -> dict[str, Any]:
    """The same of a code that is paid here, to an address of its network, with no more places than its asset has."""
    code = codes.CODES[order["currency_code"]]
    code = code if code.is_offered else codes.CODES["ETH"]
    places = units.places(code.asset)
    with decimal.localcontext(prec=60):
        amount = max(round(Decimal(str(order["amount"])), places), Decimal(1).scaleb(-places))
    number = f"{amount:f}" if isinstance(order["amount"], str) else float(amount)
    recipient = invoices.RECIPIENTS[networks.network(code.network).family]
    return {"currency_code": code.code, "to_address": recipient, "amount": number}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("api", APIS)
def test_an_api_answers_as_its_document_says(api: str, side: sides.Side, subtests: pytest.Subtests) -> None:
    def check(case: Any) -> None:
        opens = "invoice, shop" if case.operation.path.endswith("balance/all") else api
        before = transaction.savepoint()
        fitted(case, side.known[api]).call_and_validate(headers=dict(side.headers[opens]))
        transaction.savepoint_rollback(before)  # each case finds what the first one found

    # Made here, not at collection, where making the cases would cost every run of any test.
    for made in lazy.get_all_tests(schema=loaded(api), test_func=check, settings=None, given_kwargs=None):
        if isinstance(made, Err):
            raise made.err()
        operation, cases = made.ok()
        with subtests.test(operation.label):
            cases()
