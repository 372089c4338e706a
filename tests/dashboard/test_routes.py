"""Every route of the dashboard × who is there × whose ids: one table, which no route of the configuration escapes."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Event
from payouts.api import dialects
from payouts.dashboard import urls
from payouts.merchants import issuing, stores
from payouts.merchants.models import ApiKey, Challenge, Member, Merchant
from payouts.merchants.store_models import Store
from payouts.payments import payments
from payouts.payments.payment_models import Payment
from payouts.webhooks import endpoints, outbox
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import users
from tests.dashboard.visitors import Visitor

pytestmark = pytest.mark.django_db
ROOM = "/dashboard/"
NOBODY = None  # pages before the login
# fmt: off
# Who opens it: the right; the methods; and whether it names something of a company's.
TABLE: Mapping[str, tuple[str | None, str, bool]] = {
    "":                                                        ("view",       "GET",      False),
    "chart":                                                   ("view",       "GET",      False),
    "login":                                                   (NOBODY,       "GET POST", False),
    "login/code":                                              (NOBODY,       "GET POST", False),
    "login/enrol":                                             (NOBODY,       "GET POST", False),
    "logout":                                                  (NOBODY,       "POST",     False),
    "join/{person}/{token}":                                   (NOBODY,       "GET POST", False),
    "payout":                                                  ("pay",        "GET POST", False),
    "withdrawals":                                             ("view",       "GET",      False),
    "withdrawals/{public_id}":                                 ("view",       "GET",      True),
    "withdrawals/{public_id}/cancel":                          ("pay",        "POST",     True),
    "withdrawals/{public_id}/{choice}":                        ("pay",        "GET POST", True),
    "payments":                                                ("view",       "GET",      False),
    "payments/{payment_id}":                                   ("view",       "GET",      True),
    "statement":                                               ("view",       "GET",      False),
    "statement.csv":                                           ("view",       "GET",      False),
    "webhooks":                                                ("view",       "GET",      False),
    "webhooks/new":                                            ("administer", "GET POST", False),
    "webhooks/secret/{api}":                                   ("administer", "GET POST", False),
    "webhooks/{endpoint_id}":                                  ("view",       "GET",      True),
    "webhooks/{endpoint_id}/test":                             ("administer", "POST",     True),
    "webhooks/{endpoint_id}/remove":                           ("administer", "GET POST", True),
    "webhooks/{endpoint_id}/{message_id}/again":               ("administer", "POST",     True),
    "settings":                                                ("view",       "GET",      False),
    "settings/users":                                          ("administer", "GET POST", False),
    "settings/networks":                                       ("administer", "GET POST", False),
    "people":                                                  ("view",       "GET",      False),
    "people/invite":                                           ("administer", "GET POST", False),
    "people/{member_id}/role":                                 ("administer", "GET POST", True),
    "people/{member_id}/{state}":                              ("administer", "GET POST", True),
    "keys":                                                    ("view",       "GET",      False),
    "keys/new":                                                ("administer", "GET POST", False),
    "keys/{key_id}/rotate":                                    ("administer", "GET POST", True),
    "keys/{key_id}/revoke":                                    ("administer", "GET POST", True),
    "stores":                                                  ("view",       "GET",      False),
    "stores/new":                                              ("administer", "GET POST", False),
    "stores/{store_id}/password":                              ("administer", "GET POST", True),
    "stores/{store_id}/{state}":                               ("administer", "GET POST", True),
    "security":                                                ("view",       "GET",      False),
    "security/password":                                       ("view",       "GET POST", False),
    "security/codes":                                          ("view",       "GET POST", False),
    "security/authenticator":                                  ("view",       "GET POST", False),
}
# fmt: on
FIXED = {"choice": "approve", "state": "off", "api": "merchant", "person": "1", "token": "x-y"}


def routed() -> dict[str, Any]:
    """Path and view of every route there is."""
    found = {}
    for route in urls.urlpatterns:
        path = str(route.pattern)
        for kind in ("<str:", "<uuid:", "<int:"):
            path = path.replace(kind, "{")
        name = "key_id" if path.startswith("keys") else "public_id"
        found[path.replace(">", "}").replace("{public_id}", f"{{{name}}}")] = route.callback
    return found


def test_no_route_is_missing_from_the_table_and_each_asks_for_what_the_table_says() -> None:
    views = routed()
    assert set(views) == set(TABLE)
    for path, (right, methods, _) in TABLE.items():
        assert getattr(views[path], "right", NOBODY) == right, path
        if right is not NOBODY:
            assert " ".join(views[path].methods) == methods, path


def things(of: Merchant, member: Member) -> dict[str, str]:
    """What a company has that a page names by its id."""
    hook = endpoints.register(of, api="merchant", url="https://hooks.example/x", events=["a"], now=make.now())
    message = outbox.test(hook, now=make.now())
    withdrawal = make.withdrawal(of, "10")
    return {
        "public_id": dialects.DIALECTS["merchant"].public_id(withdrawal.id),
        "payment_id": str(asked(of).id),
        "endpoint_id": str(hook.id),
        "message_id": str(message.id),
        "member_id": str(member.id),
        "key_id": issuing.make(of, kind="merchant", person=member.person).key.key_id,
        "store_id": str(stores.found(of, name="a store")[0].id),
    }


def asked(of: Merchant) -> Payment:
    users.enrol_keys()
    order = payments.Order(
        merchant=of, api="tenant", asset="USDT", network="tron", amount=Decimal(10), valid_for=timedelta(hours=1)
    )
    return payments.create(order, now=make.now())


def state() -> list[Any]:
    """All that a refused visit must leave as it is."""
    counted = (Withdrawal, Event, Message, Endpoint, ApiKey, Store, Member, User, Challenge)
    rows = [
        [*Withdrawal.objects.order_by("id").values_list("status")],
        [*Endpoint.objects.order_by("id").values_list("is_active")],
        [*ApiKey.objects.order_by("id").values_list("is_active")],
        [*Member.objects.order_by("id").values_list("role", "person__is_active", "person__password")],
        [*Merchant.objects.order_by("id").values_list("allowed_networks")],
    ]
    return [model.objects.count() for model in counted] + rows


@pytest.fixture
def theirs() -> dict[str, str]:
    other = make.merchant(funds="1000")
    member = Member.objects.create(merchant=other, person=User.objects.create_user("theirs"), role=Member.Role.ADMIN)
    return things(other, member)


def knock(client: Client, path: str, method: str, ids: dict[str, str]) -> Any:
    return client.generic(method, ROOM + path.format(**(FIXED | ids)))


def test_nobody_gets_past_the_door(theirs: dict[str, str]) -> None:
    before = state()
    for path, (right, methods, _) in TABLE.items():
        for method in methods.split() if right is not NOBODY else ():
            answer = knock(Client(), path, method, theirs)
            assert (path, answer.status_code) == (path, 302)
            assert answer["Location"].startswith("/dashboard/login")
    assert state() == before


@pytest.mark.parametrize("role", Member.Role.values)
def test_each_role_opens_what_is_its_own_and_finds_nothing_by_another_companys_ids(
    role: str, theirs: dict[str, str]
) -> None:
    merchant = make.merchant(funds="1000")
    visitor = Visitor(merchant, role)
    colleague = Member.objects.create(merchant=merchant, person=User.objects.create_user("colleague"))
    mine, before = things(merchant, colleague), state()
    for path, (right, methods, names_something) in TABLE.items():
        if right is NOBODY:
            continue
        may = visitor_may(role, right)
        for method in methods.split():
            if names_something:
                foreign = knock(visitor.client, path, method, theirs)
                assert (path, foreign.status_code) == (path, 404 if may else 403)
                assert b"hooks.example" not in foreign.content
            if not may:
                assert (path, knock(visitor.client, path, method, mine).status_code) == (path, 403)
    assert state() == before
    for path, (right, methods, _) in TABLE.items():
        if right is not NOBODY and visitor_may(role, right) and "GET" in methods:
            answer = knock(visitor.client, path, "GET", mine)
            assert (path, answer.status_code) in ((path, 200), (path, 302))  # 302: nothing left to decide
            own = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for secret in theirs.values():
                assert len(secret) < 9 or secret.encode() not in own


def visitor_may(role: str, right: str) -> bool:
    return right == "view" or role == "ADMIN" or (right, role) == ("pay", "PAYER")
