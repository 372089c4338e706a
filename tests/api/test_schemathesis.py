"""Schemathesis against the `merchant` API: every call answers as its OpenAPI document says, whatever is thrown at it.

Examples, boundary values and random cases, right and wrong ones, through the WSGI application, with all of
schemathesis's checks. The cases are the same in every run.
"""

import itertools
import re
import uuid
from collections.abc import Iterator
from typing import Any

import limits
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from config import urls
from config.wsgi import application
from payouts.api import base, docs, ids, throttling
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, FeeRule
from tests import make
from tests.api import sides

CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "database": "none", "max-examples": 5, "no-shrink": True},
    "suppress-health-check": ["all"],
}
LARGEST, HOARD = "9" * 30, 8  # the largest amount there can be, and how many of them there are
UUIDS = ("webhook_id", "supervisor_id", "account_id", "id")
FORMS = {
    "public_id": re.compile(rf"{ids.ULID_FORM.pattern}|{ids.UUID_FORM.pattern}"),
    **dict.fromkeys(UUIDS, ids.UUID_FORM),
    "userId": re.compile(r".{1,128}"),
}
pytestmark = pytest.mark.django_db

# What is a URL by its form alone may be no place to send a webhook to; these are such places, and likewise for e-mail.
schemathesis.openapi.format("uri", st.from_regex(r"https://[a-z]{3,20}\.example/[a-z]{0,20}", fullmatch=True))
schemathesis.openapi.format("email", st.from_regex(r"[a-z]{1,20}@[a-z]{3,20}\.example", fullmatch=True))


def loaded(api: str) -> Any:
    document = docs.Generator(docs.DOCUMENTS[api], urls.APIS[api]).whole()
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = application
    return schema


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch) -> Iterator[sides.Side]:
    """A merchant for whom every amount that the documents allow is there, and costs nothing; calls are as good as free.

    In test mode, where the documents' form of an address is enough, since two people look at everything.
    """
    monkeypatch.setattr(throttling.RateLimit, "item", property(lambda _: limits.parse("1000000/minute")), raising=False)
    merchant = make.merchant(mode=Merchant.Mode.TEST)
    make.policy(merchant, Approval.TWO_LEVELS)
    for network, api in itertools.product(("tron", "ethereum"), ("merchant", "public")):
        FeeRule.objects.create(merchant=merchant, api=api, asset="USDT", network=network, flat_units=0)
    made = sides.side(merchant, largest=LARGEST, times=HOARD)
    with connection.cursor() as cursor:  # the making of cases takes its time
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    for signal in (request_started, request_finished):  # as Django's own test client has it, around each of its calls
        signal.disconnect(close_old_connections)
    yield made
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


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
    return case


@loaded("merchant").parametrize()  # type: ignore[untyped-decorator]  # schemathesis's own
def test_the_merchant_api_is_as_its_document_says(case: Any, side: sides.Side) -> None:
    fitted(case, side.known["merchant"]).call_and_validate(headers=dict(side.headers["merchant"]))
