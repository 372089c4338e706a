"""The `tenant` API's sub-accounts: made, shown, filled and emptied by a worker, once; balances and their history."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from ledger import audit
from ledger.models import Event
from payouts import tasks
from payouts.api import ids
from payouts.merchants.models import Merchant
from payouts.subaccounts import subaccounts, transfers
from payouts.subaccounts.models import Transfer
from tests import fakes, make
from tests.api import invoices, tenants
from tests.api.tenants import conformance
from tests.payouts import crowd, hooks

# The seed's own, as they stand there.
SEED_WALLET = """{
"name": "My Wallet",
"external_id": "ext_123"
}"""
SEED_TRANSFER = """{
"wallet_id": "w_abc123",
"currency": "USDTTRC20",
"amount": "100.00000000",
"callback_url": "https://your-site.com/webhook"
}"""
SEED_HISTORY = """{
"wallet_id": "w_abc123",
"status": "completed",
"transfer_type": "to_sub",
"currency": "USDTTRC20",
"limit": 20,
"offset": 0
}"""
ZERO = "0.00000000"
TO_USER, TO_MASTER = "/wallets/transfer-to-user/", "/wallets/withdraw-to-master/"
WORD = "Transfer request accepted and is being processed"


def wallet(program: tenants.Program, name: str = "My Wallet", **more: Any) -> Any:
    return tenants.told(program.post("/wallets/", {"name": name, **more}), status=201)


def transfer(program: tenants.Program, path: str, to: Any, amount: Any = 100, **more: Any) -> Any:
    body = {"wallet_id": to["wallet_id"], "currency": "USDTTRC20", "amount": amount, **more}
    return program.post(path, body)


def held(program: tenants.Program, of: Any) -> dict[str, str]:
    """A wallet's USDT as its balances show them."""
    rows = tenants.told(program.post("/wallets/balances/", {"wallet_id": of["wallet_id"]}))["balances"]
    return next(({name: row[name] for name in row if name != "currency"} for row in rows), {})


@pytest.mark.django_db
@conformance("S POST /wallets/ {name, external_id}")
@conformance("S GET /wallets/ {accounts, total}")
@conformance("S GET /wallets/{id}/ with balances")
@conformance("S POST /wallets/balances/ by wallet_id or external_id")
@conformance("R wallet ids begin with w_; creates answer 201; the path takes the list's number")
def test_a_wallet_is_made_listed_and_found_by_each_of_its_names() -> None:
    program, other = tenants.program(), tenants.program()
    made = tenants.told(program.post("/wallets/", SEED_WALLET), status=201)
    assert made == {
        "id": made["id"], "name": "My Wallet", "external_id": "ext_123", "wallet_id": made["wallet_id"],
        "created": made["created"], "updated": made["created"], "balances": [],
    }  # fmt: skip
    assert made["wallet_id"].startswith("w_")
    assert tenants.told(program.get("/wallets/")) == {"accounts": [made], "total": 1}
    assert tenants.told(program.get(f"/wallets/{made['id']}/")) == made
    for name in ("wallet_id", "external_id"):
        assert tenants.told(program.post("/wallets/balances/", {name: made[name]})) == made
        assert tenants.error(other.post("/wallets/balances/", {name: made[name]})) == (404, "not_found")
    assert tenants.error(other.get(f"/wallets/{made['id']}/")) == (404, "not_found")
    assert tenants.told(other.get("/wallets/")) == {"accounts": [], "total": 0}
    assert tenants.error(program.post("/wallets/", SEED_WALLET)) == (400, "invalid_request"), "its external_id is taken"
    tenants.told(other.post("/wallets/", SEED_WALLET), status=201)
    second = wallet(program, "other")
    assert tenants.told(program.get("/wallets/?limit=1&offset=1")) == {"accounts": [second], "total": 2}


@pytest.mark.django_db
def test_what_is_no_wallet_is_refused() -> None:
    program = tenants.program()
    for wrong in (
        {},
        {"name": ""},
        {"name": 5},
        {"name": "x" * 101},
        {"name": "a", "external_id": "x" * 129},
        {"nam": 1},
    ):
        assert tenants.error(program.post("/wallets/", wrong)) == (400, "invalid_request")
    for wrong in ({}, {"wallet_id": ""}, {"external_id": ""}):
        assert tenants.error(program.post("/wallets/balances/", wrong)) == (400, "invalid_request")
    for wrong in ({"wallet_id": "w_abc123"}, {"external_id": "x"}, {"wallet_id": "t_" + "0" * 26}):
        assert tenants.error(program.post("/wallets/balances/", wrong)) == (404, "not_found")
    for number in ("0", "x", "9" * 40, "-1"):
        assert tenants.error(program.get(f"/wallets/{number}/")) == (404, "not_found")


@pytest.mark.django_db
def test_no_tenant_makes_wallets_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subaccounts, "MOST", 1)
    program = tenants.program()
    wallet(program)
    assert tenants.error(program.post("/wallets/", {"name": "one more"})) == (400, "invalid_request")


@pytest.mark.django_db
@conformance("S POST /wallets/transfer-to-user/ answers 202 accepted with a transfer_id; asynchronous")
@conformance("S POST /wallets/withdraw-to-master/ answers 202; asynchronous")
@conformance("R transfer ids begin with t_; what is not there: 400 insufficient_balance")
def test_money_goes_to_a_wallet_and_back_when_the_worker_comes() -> None:
    program = tenants.program()
    made = wallet(program)
    asked = program.post(TO_USER, SEED_TRANSFER.replace("w_abc123", made["wallet_id"]))
    answer = tenants.told(asked, status=202)
    assert answer == {"status": "accepted", "transfer_id": answer["transfer_id"], "message": WORD}
    assert ids.TRANSFER.parse(answer["transfer_id"])
    assert held(program, made) == {"amount": ZERO, "pending_amount": "100.00000000", "available_balance": ZERO}
    assert tasks.transfers_between() == 1
    assert set(held(program, made).values()) == {"100.00000000", ZERO}
    assert tenants.told(transfer(program, TO_MASTER, made, "30.5"), status=202)["transfer_id"] != answer["transfer_id"]
    assert held(program, made)["available_balance"] == "69.50000000", "what was asked to leave is spoken for"
    assert tenants.error(transfer(program, TO_MASTER, made, "69.500001")) == (400, "insufficient_balance")
    assert tenants.error(transfer(program, TO_USER, made, "900.000001")) == (400, "insufficient_balance")
    assert tasks.transfers_between() == 1
    assert held(program, made)["amount"] == "69.50000000"
    account = ids.WALLET.parse(made["wallet_id"])
    owned = {
        event.kind
        for event in Event.objects.filter(reference__in=map(str, Transfer.objects.values_list("id", flat=True)))
    }
    assert (owned, tasks.transfers_between()) == ({"TRANSFER"}, 0)
    assert account is not None


@pytest.mark.django_db
def test_a_transfer_whose_money_has_gone_meanwhile_fails_and_says_so() -> None:
    program = tenants.program()
    with fakes.receiver() as receiver:
        made = wallet(program)
        tenants.told(transfer(program, TO_USER, made, 600, callback_url=receiver.url("/failed")), status=202)
        make.withdrawal(program.merchant, "500")
        before = make.holds(program.merchant)
        tasks.transfers_between()
        hooks.deliver(make.now())
        (told,) = [json.loads(call.body) for call in receiver.at("/failed")]
    assert make.holds(program.merchant) == before
    assert (told["event"], told["status"], told["data"]["reason"]) == (
        "transfer_status_update", "failed", "insufficient balance",
    )  # fmt: skip
    assert set(held(program, made).values()) == {ZERO}


@pytest.mark.django_db
@conformance("S POST /wallets/transfer-history/ of one wallet, by status, transfer_type, currency; limit, offset")
@conformance("N {account, transfers, pagination: {total, limit, offset}}")
def test_a_wallets_transfers_are_listed_newest_first() -> None:
    program = tenants.program()
    invoices.deposit(program.merchant, "ETH", "2")
    made, empty = wallet(program, external_id="ext_123"), wallet(program, "empty")
    to = [transfer(program, TO_USER, made, amount).json()["transfer_id"] for amount in (1, 2)]
    ether = transfer(program, TO_USER, made, 1, currency="ETH").json()["transfer_id"]
    tasks.transfers_between()
    back = transfer(program, TO_MASTER, made, 1).json()["transfer_id"]

    def listed(**more: Any) -> Any:
        body = {"wallet_id": made["wallet_id"], **more}
        return tenants.told(program.post("/wallets/transfer-history/", body))

    def numbers(**more: Any) -> list[str]:
        return [row["transfer_id"] for row in listed(**more)["transfers"]]

    whole = listed()
    assert whole["account"] == {"name": "My Wallet", "wallet_id": made["wallet_id"], "external_id": "ext_123"}
    assert whole["pagination"] == {"total": 4, "limit": 20, "offset": 0}
    assert numbers() == [back, ether, *reversed(to)]
    seed = json.loads(SEED_HISTORY.replace("w_abc123", made["wallet_id"]))
    assert numbers(**{name: one for name, one in seed.items() if name != "wallet_id"}) == [to[1], to[0]]
    assert numbers(status="pending") == numbers(transfer_type="to_master") == [back]
    assert (numbers(currency="ETH"), numbers(limit=1, offset=1), numbers(status="failed")) == ([ether], [ether], [])
    row = listed(currency="ETH")["transfers"][0]
    assert (row["status"], row["amount"], row["blockchain"], row["transfer_type"]) == (
        "completed",
        "1.00000000",
        "ETH",
        "to_sub",
    )
    body = {"wallet_id": empty["wallet_id"]}
    assert tenants.told(program.post("/wallets/transfer-history/", body))["transfers"] == []
    for wrong in ({"status": "x"}, {"transfer_type": "x"}, {"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": 1.5},
                  {"currency": "X"}, {"x": 1}):  # fmt: skip
        body = {"wallet_id": made["wallet_id"], **wrong}
        assert program.post("/wallets/transfer-history/", body).status_code == 400, wrong


@pytest.mark.django_db
@conformance("S GET /user/balances/ {account, sub_accounts, statistics}: read, write")
@conformance("R an asset's one balance stands under each of its codes and is counted once")
def test_all_balances_together() -> None:
    program = tenants.program(approval="NONE")
    one, other, _ = wallet(program, "Wallet 1"), wallet(program, "Wallet 2"), wallet(program, "empty")
    for to, amount in ((one, 300), (other, 200)):
        tenants.told(transfer(program, TO_USER, to, amount), status=202)
    tasks.transfers_between()
    tenants.told(program.create(amount=50), status=201)
    tenants.told(transfer(program, TO_MASTER, one, 25), status=202)
    told = tenants.told(program.get("/user/balances/"))
    account = {"amount": "450.00000000", "pending_amount": "75.00000000"}
    assert told["account"]["USDTTRC20"] == told["account"]["USDTERC20"] == account
    assert told["account"]["ETH"] == {"amount": ZERO, "pending_amount": ZERO}
    assert set(told["sub_accounts"]) == {"USDTTRC20", "USDTERC20"}
    assert told["sub_accounts"]["USDTTRC20"] == {
        "total_amount": "500.00000000", "total_pending": ZERO,
        "accounts": [
            {"account_name": "Wallet 1", "account_id": one["wallet_id"], "amount": "300.00000000",
             "pending_amount": ZERO, "available_balance": "275.00000000"},
            {"account_name": "Wallet 2", "account_id": other["wallet_id"], "amount": "200.00000000",
             "pending_amount": ZERO, "available_balance": "200.00000000"},
        ],
    }  # fmt: skip
    assert told["statistics"] == {"currencies_count": 1, "subaccounts_count": 3}
    nothing = tenants.told(tenants.program(funds="0").get("/user/balances/"))
    assert (nothing["sub_accounts"], nothing["statistics"]) == ({}, {"currencies_count": 0, "subaccounts_count": 0})


@pytest.mark.django_db
@conformance("S GET /user/balances/history/ currency, type, limit 50, offset: read")
def test_what_moved_the_balances_is_listed_newest_first_over_all_assets() -> None:
    program = tenants.program(approval="NONE")
    reader = program.with_scope("read")
    invoices.deposit(program.merchant, "ETH", "2")
    made = wallet(program)
    tenants.told(transfer(program, TO_USER, made, 10), status=202)
    tasks.transfers_between()
    rejected = tenants.told(program.create(amount=50), status=201)["id"]
    tenants.reach(rejected, "rejected")

    def listed(**query: Any) -> Any:
        return tenants.told(reader.get("/user/balances/history/", query))

    whole = listed()
    assert [(row["type"], row["direction"], row["token"], row["amount"]) for row in whole["transactions"]] == [
        ("refund", "in", "USDT", "50.00000000"), ("withdrawal", "out", "USDT", "50.00000000"),
        ("transfer", "out", "USDT", "10.00000000"), ("deposit", "in", "ETH", "2.00000000"),
        ("deposit", "in", "USDT", "1000.00000000"),
    ]  # fmt: skip
    assert (whole["total"], whole["limit"], whole["offset"]) == (5, 50, 0)
    assert (
        whole["transactions"][0] | {"reference": rejected, "balance_after": "990.00000000"} == whole["transactions"][0]
    )
    assert [row["amount"] for row in listed(type="deposit")["transactions"]] == ["2.00000000", "1000.00000000"]
    assert (listed(type="deposit")["total"], listed(type="conversion")["total"]) == (2, 0)
    erc20 = listed(currency="USDTERC20", limit=2, offset=1)
    assert ([row["currency"] for row in erc20["transactions"]], erc20["total"]) == (["USDTERC20"] * 2, 4)
    assert listed(type="deposit", offset=1)["transactions"] == listed(offset=4)["transactions"]
    for wrong in ({"type": "gift"}, {"limit": 0}, {"limit": 101}, {"currency": "X"}, {"offset": "x"}):
        assert reader.get("/user/balances/history/", wrong).status_code == 400


@conformance("R transfers move once: many workers, and repeats under one Idempotency-Key")
def test_a_transfer_moves_once_however_many_workers_come(committed: object) -> None:
    program = tenants.program()
    made = wallet(program)
    first, again = (transfer_keyed(program, made, "k") for _ in range(2))
    assert first.json() == again.json()
    transfer_id = ids.TRANSFER.parse(first.json()["transfer_id"])
    assert transfer_id
    crowd.at_once([lambda: transfers.do(transfer_id, now=make.now()) for _ in range(8)])
    assert held(program, made)["amount"] == "100.00000000"
    assert Event.objects.filter(kind="TRANSFER").count() == 1


def transfer_keyed(program: tenants.Program, to: Any, key: str) -> Any:
    body = {"wallet_id": to["wallet_id"], "currency": "USDTTRC20", "amount": 100}
    return program.post(TO_USER, body, Idempotency_Key=key)


def test_a_worker_that_dies_before_its_commit_leaves_the_transfer_to_the_next(
    committed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tenants.program()
    made = wallet(program)
    transfer_id = ids.TRANSFER.parse(transfer(program, TO_USER, made).json()["transfer_id"])
    assert transfer_id

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(transfers, "_tell", dies)
        with pytest.raises(KeyboardInterrupt):
            transfers.do(transfer_id, now=make.now())
    assert held(program, made)["amount"] == ZERO
    assert tasks.transfers_between() == 1
    assert held(program, made)["amount"] == "100.00000000"


@pytest.mark.django_db
@of_hypothesis(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 1200), st.booleans()), max_size=12))
def test_whatever_is_asked_for_nothing_is_lost_and_the_ledger_proves(
    moves: list[tuple[int, bool, int, bool]],
) -> None:
    merchant = make.merchant(funds="1000")
    parts = [subaccounts.create(merchant, name=str(number), external_id="", now=make.now()) for number in range(3)]
    accepted = []
    for number, is_back, amount, sweeps in moves:
        direction = Transfer.Direction.TO_MASTER if is_back else Transfer.Direction.TO_SUB
        order = transfers.Order(merchant, "tenant", parts[number], direction, "USDT", "tron", amount * 10**6, "tests")
        try:
            accepted.append(transfers.accept(order, now=make.now()).id)
        except transfers.InsufficientBalance:
            continue
        if sweeps:
            do_all(merchant)
    do_all(merchant)
    assert make.holds(merchant) == {"available": make.usdt("1000"), "external/tron": -make.usdt("1000")}
    rows = Transfer.objects.filter(id__in=accepted)
    moved = Event.objects.filter(kind="TRANSFER", book=merchant.id).count()
    assert moved == rows.filter(status=Transfer.Status.COMPLETED).count() == len(accepted), "spoken for is spoken for"
    assert audit.prove().ok


def do_all(merchant: Merchant) -> None:
    waiting = list(Transfer.objects.filter(merchant=merchant, status="PENDING").values_list("id", flat=True))
    for one in itertools.chain(waiting, waiting):
        transfers.do(one, now=make.now())
