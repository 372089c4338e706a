"""The OpenAPI documents below `/docs/`: whole, valid, with the seeds' own examples, shown without another host."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from config import urls
from payouts.api import docs
from payouts.api.extraction import schema as extraction
from payouts.api.invoice import schema as invoice
from payouts.api.merchant import schema as merchant
from payouts.api.public import schema as public
from payouts.api.tenant import money_shapes as tenant_money
from payouts.api.tenant import shapes as tenant
from tests.api import (
    invoices,
    test_extraction_documents,
    test_merchant_documents,
    test_public_documents,
    test_tenant_documents,
    test_tenant_payments,
    test_tenant_wallets,
)

APIS = [*urls.APIS]
# Where a refusal is the only answer, or another than everywhere else in the API.
PLAIN = ("/api/v1/public/payout/create", "/api/v1/payout/create", "/o/token/", "/v1/withdrawals/batch")


def document(api: str) -> dict[str, Any]:
    answer = Client().get(f"/docs/{api}/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    return found


def test_every_api_has_a_document() -> None:
    assert set(APIS) == set(docs.DOCUMENTS)


@pytest.mark.parametrize("api", APIS)
def test_a_document_is_valid_openapi_in_both_forms(api: str) -> None:
    found = document(api)
    assert found["openapi"] == "3.1.0"
    validate_schema(found)
    written = Client().get(f"/docs/{api}/openapi.yaml")
    assert written.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(written.content) == found


@pytest.mark.parametrize("api", APIS)
def test_the_table_and_the_routes_are_the_same_calls(api: str) -> None:
    described = {(method.upper(), path) for path, calls in document(api)["paths"].items() for method in calls}
    assert described == set(docs.DOCUMENTS[api].calls)


@pytest.mark.parametrize("api", APIS)
def test_every_call_says_what_it_does_who_may_and_how_it_refuses(api: str) -> None:
    found = document(api)
    ids = [call["operationId"] for calls in found["paths"].values() for call in calls.values()]
    assert len(ids) == len(set(ids))
    for path, calls in found["paths"].items():
        for call in calls.values():
            assert call["summary"], path
            assert {"400", "503"} <= set(call["responses"])
            assert (str(int(docs.DOCUMENTS[api].stranger)) in call["responses"]) or call["security"] == []
            for status, answer in call["responses"].items():
                assert "$ref" in answer or int(status) < 400 or path in PLAIN


def samples(schema: Any) -> Iterator[tuple[Any, Any]]:
    """Every schema that shows examples, with each of them."""
    if isinstance(schema, dict):
        for one in schema.get("examples", []):
            yield schema, one
        for inner in schema.values():
            yield from samples(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from samples(inner)


@pytest.mark.parametrize("api", APIS)
def test_every_example_is_one_of_its_own_schema(api: str) -> None:
    found = document(api)
    shown = [*samples(found["components"]["schemas"])]
    assert shown
    for schema, sample in shown:
        Draft202012Validator({**schema, "components": found["components"]}).validate(sample)


def test_the_examples_are_the_seeds_own() -> None:
    """What the golden tests send and expect, which they have from the seeds."""
    assert json.loads(test_merchant_documents.SEED_REQUEST) == merchant.SEED_REQUEST
    assert json.loads(test_merchant_documents.SEED_CREATED) == merchant.SEED_CREATED
    assert json.loads(test_merchant_documents.SEED_LISTED) == merchant.SEED_LISTED
    assert json.loads(test_extraction_documents.SEED_REQUEST) == extraction.SEED_REQUEST
    assert json.loads(test_public_documents.SEED_REQUEST) == public.SEED_REQUEST
    assert {**invoices.SEED, "to_address": invoice.SEED_REQUEST["to_address"]} == invoice.SEED_REQUEST
    for kept, sample in (
        (test_tenant_documents.SEED_FULL, tenant.SEED_CURRENCIES_FULL),
        (test_tenant_documents.SEED_RATE, tenant.SEED_RATE),
        (test_tenant_documents.SEED_CREATE, tenant.SEED_WITHDRAWAL),
        (test_tenant_documents.SEED_PRICED, tenant.SEED_PRICED),
        (test_tenant_documents.SEED_ESTIMATE_REQUEST, tenant.SEED_ESTIMATE_REQUEST),
        (test_tenant_documents.SEED_ESTIMATE, tenant.SEED_ESTIMATE),
        (test_tenant_payments.SEED, tenant_money.SEED_PAYMENT),
        (test_tenant_payments.SEED_RANGE, tenant_money.SEED_RANGE),
        (test_tenant_wallets.SEED_WALLET, tenant_money.SEED_WALLET),
        (test_tenant_wallets.SEED_TRANSFER, tenant_money.SEED_TRANSFER),
        (test_tenant_wallets.SEED_HISTORY, tenant_money.SEED_HISTORY),
    ):
        assert json.loads(kept) == sample
    for api, name, sample in (
        ("merchant", "WithdrawalRequest", merchant.SEED_REQUEST),
        ("merchant", "Withdrawal", merchant.SEED_CREATED),
        ("merchant", "WithdrawalList", merchant.SEED_LISTED),
        ("extraction", "ExtractionRequest", extraction.SEED_REQUEST),
        ("public", "WithdrawalRequest", public.SEED_REQUEST),
        ("invoice", "WithdrawalRequest", invoice.SEED_REQUEST),
    ):
        assert document(api)["components"]["schemas"][name]["examples"] == [sample]
    result = document("invoice")["components"]["schemas"]["Withdrawal"]["properties"]["result"]
    assert result["examples"] == [invoice.SEED_RESULT]
    data = document("public")["components"]["schemas"]["Outcome"]["properties"]["data"]
    assert data["examples"] == [public.SEED_DATA]


@pytest.mark.parametrize("api", APIS)
def test_the_page_loads_everything_from_here_under_the_content_policy(api: str) -> None:
    page = Client().get(f"/docs/{api}/")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    soup = BeautifulSoup(page.content, "html.parser")
    assert not soup.find_all("style"), "the policy refuses inline styles"
    assert not soup.find_all(style=True)
    assert all(script.get("src") and not script.string for script in soup.find_all("script"))
    wanted = [one.get("src") or one.get("href") for one in soup.find_all(["script", "link", "img"])]
    assert len(wanted) == 4
    files = [finders.find(str(url).removeprefix("/static/")) for url in wanted]
    assert all(files)
    (script,) = [Path(str(file)).read_text() for file in files if str(file).endswith("docs.js")]
    assert "validatorUrl: null" in script
    assert not re.search(r"https?:", script)
