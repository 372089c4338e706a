"""The `public` API against its document (seed 1): its own requests and answers, its texts, its fees."""

import json
from typing import Any

import pytest

from payouts import tasks
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, Status, Withdrawal
from tests import make
from tests.api import users
from tests.api.users import CREATE, REQUESTS, conformance
from tests.payouts.test_doorbell import rung

pytestmark = pytest.mark.django_db

# The seed's own request, as it stands there (JavaScript's object as JSON).
SEED_PATH = "/public/user/withdrawal/create"
SEED_REQUEST = """{
    "userId": "user-12345",
    "walletAddress": "TN7oGaKhMfSfAwnVUiPNaEiGgRbRQGrain",
    "amount": 50,
    "currencyType": "USDT-TRC20"
  }"""
SEED_ADDRESS = json.loads(SEED_REQUEST)["walletAddress"]
INVALID_ADDRESS = (400, "Invalid wallet address format")
PAST = {"approve": "approved", "reject": "rejected"}
NO_SECRET = (401, "x-api-secret header is required")


def on_erc20(**more: Any) -> dict[str, Any]:
    return {"currencyType": "USDT-ERC20", "walletAddress": make.EVM_ADDRESS, **more}


@conformance("S POST /public/user/withdrawal/create answers {status, transactionHash, fee: 2, netAmount: 48} for 50")
@conformance("R after the bounded wait a create answers processing, never a guess")
def test_the_seeds_request_to_an_address_that_exists_is_paid_48_for_a_fee_of_2() -> None:
    program = users.program()
    answer = program.post(SEED_PATH, SEED_REQUEST.replace(SEED_ADDRESS, make.TRON_ADDRESS))
    made = users.data(answer, status=201)
    assert made == {"id": made["id"], "status": "processing", "transactionHash": None, "fee": 2, "netAmount": 48}
    assert b'"fee":2,"netAmount":48' in answer.content, "numbers, without needless points"
    users.reach(made["id"], "completed")
    done = users.data(program.get(f"/public/payout/get?id={made['id']}"))
    assert made | {"status": "completed", "transactionHash": "ab" * 32} == {name: done[name] for name in made}


@conformance("S Always auto-approves: a create waits for nobody, whatever the auto settings say")
def test_a_create_is_approved_by_nobody() -> None:
    program = users.program()
    users.set_up(program.merchant, auto_withdraw=False, max_auto_units=0)
    users.data(program.create(amount=400), status=201)
    assert Withdrawal.objects.get().approval == Approval.NONE


@conformance("R where nobody reviews, an address that only looks right is refused, in test mode too")
@pytest.mark.parametrize("mode", Merchant.Mode.values)
def test_the_seeds_own_address_whose_checksum_is_wrong_is_refused(mode: str) -> None:
    program = users.program(mode=mode)
    before = users.state(program.merchant)
    assert users.error(program.post(SEED_PATH, SEED_REQUEST)) == INVALID_ADDRESS
    assert users.state(program.merchant) == before


@conformance("R a test-mode address that only passes the documented rule may wait for review, and is never paid")
def test_in_test_mode_the_seeds_own_address_may_be_requested_and_not_approved() -> None:
    program = users.program(mode=Merchant.Mode.TEST)
    made = users.data(program.post(REQUESTS, SEED_REQUEST), status=201)
    assert users.error(program.post(f"{REQUESTS}/{made['id']}/approve")) == INVALID_ADDRESS
    assert program.status(made["id"]) == "pending"
    users.data(program.post(f"{REQUESTS}/{made['id']}/reject"))


@conformance("S fees are flat: 2 on USDT-TRC20, 2.5 on USDT-ERC20")
@conformance("R the default fee payer is the user: 50 becomes 48")
def test_the_flat_fee_comes_out_of_what_the_user_takes() -> None:
    program = users.program()
    tron = users.data(program.create(), status=201)
    erc20 = users.data(program.create(**on_erc20()), status=201)
    assert [(made["fee"], made["netAmount"]) for made in (tron, erc20)] == [(2, 48), (2.5, 47.5)]
    assert users.owed(program.merchant) == (make.usdt("400"), make.usdt("100"))
    assert make.holds(program.merchant)["frozen"] == make.usdt("100")


@conformance("S withdrawalFeePayer is merchant or user")
@conformance("R merchant pays: net = amount, the merchant is debited amount + fee")
def test_where_the_merchant_pays_the_fee_the_user_gets_it_all() -> None:
    program = users.program(funds="0", user_funds="60")
    users.set_up(program.merchant, withdrawal_fee_payer="merchant")
    made = users.data(program.create(), status=201)
    assert (made["fee"], made["netAmount"]) == (2, 50)
    assert users.owed(program.merchant) == (make.usdt("10"), make.usdt("50"))
    assert make.holds(program.merchant)["frozen"] == make.usdt("52")
    users.reach(made["id"], "completed")
    assert users.owed(program.merchant) == (make.usdt("10"), 0)
    held = make.holds(program.merchant)
    assert (held["available"], held["fees"], held["external/tron"]) == (
        make.usdt("8"),
        make.usdt("2"),
        -make.usdt("10"),
    )


@conformance("S minimum 0.1 USDT: Minimum withdrawal amount is greater than 0.1 USDT")
@conformance("R exactly 0.1 passes the minimum")
@conformance("S the net amount after the fee must be positive")
@conformance("R 400 Net amount after fee must be positive")
def test_the_minimum_is_a_tenth_and_something_must_be_left_after_the_fee() -> None:
    program = users.program()
    for amount in (0.099999, 0, -5, -0.1):
        refused = (400, "Minimum withdrawal amount is greater than 0.1 USDT")
        assert users.error(program.create(amount=amount)) == refused
    for amount in (0.1, 1, 2):
        assert users.error(program.create(amount=amount)) == (400, "Net amount after fee must be positive")
    users.data(program.create(amount=2.000001), status=201)
    users.set_up(program.merchant, withdrawal_fee_payer="merchant")
    assert users.data(program.create(amount=0.1), status=201)["netAmount"] == 0.1


@conformance("S user and merchant balance must cover the amount: Insufficient user wallet balance")
@conformance("S Insufficient merchant balance")
@conformance("R the user's balance is checked first, then the merchant's")
def test_the_users_balance_is_asked_before_the_merchants() -> None:
    program = users.program(funds="0", user_funds="100")
    assert users.error(program.create(amount=100.000001)) == (400, "Insufficient user wallet balance")
    make.withdrawal(program.merchant, "60")  # by another API: what the user is owed is not there any more
    assert users.error(program.create(amount=41)) == (400, "Insufficient merchant balance")
    assert users.error(program.create(amount=101)) == (400, "Insufficient user wallet balance")
    users.data(program.create(amount=40), status=201)


@conformance("R the merchant's balance must cover the fee too where the merchant pays it")
def test_a_fee_on_top_needs_to_be_covered() -> None:
    program = users.program(funds="1.999999", user_funds="50")
    users.set_up(program.merchant, withdrawal_fee_payer="merchant")
    assert users.error(program.create()) == (400, "Insufficient merchant balance")
    make.deposit(program.merchant, "0.000001")
    users.data(program.create(), status=201)


@conformance("S TRC20 starts with T, ERC20 with 0x: Invalid wallet address format")
@pytest.mark.parametrize(
    "change",
    [
        {"walletAddress": make.EVM_ADDRESS},
        {"walletAddress": "X" + make.TRON_ADDRESS[1:]},
        {"walletAddress": make.TRON_ADDRESS[:-1]},
        {"walletAddress": make.TRON_ADDRESS[:-1] + "9"},
        on_erc20(walletAddress=make.TRON_ADDRESS),
        on_erc20(walletAddress=make.EVM_ADDRESS[2:]),
        on_erc20(walletAddress=make.EVM_ADDRESS.replace("E0F7", "e0F7")),
    ],
)
def test_an_address_of_another_form_is_refused_at_both_doors(change: dict[str, Any]) -> None:
    program = users.program()
    before = users.state(program.merchant)
    for path in (users.CREATE_PATH, REQUESTS):
        assert users.error(program.post(path, CREATE | change)) == INVALID_ADDRESS
    assert users.state(program.merchant) == before


@conformance("S the user must have a generated wallet")
@conformance("R 404 User wallet not found")
def test_a_user_without_a_wallet_is_not_found_nor_is_another_merchants() -> None:
    program = users.program()
    users.wallet(users.program().merchant, "theirs", deposited="100")
    for user_id in ("nobody", "theirs"):
        assert users.error(program.create(userId=user_id)) == (404, "User wallet not found")


@conformance("S GET /public/withdrawal-requests?status=pending&page=1&limit=20")
@conformance("N lists: page 1, limit 20, max 100")
def test_pending_requests_are_listed_newest_first() -> None:
    program = users.program()
    made = [users.data(program.request(amount=amount), status=201)["id"] for amount in (10, 11, 12)]
    users.data(program.create(), status=201)
    users.data(program.post(f"{REQUESTS}/{made[1]}/reject"))
    listed = users.data(program.get(f"{REQUESTS}?status=pending&page=1&limit=20"))
    assert [(row["id"], row["status"]) for row in listed["withdrawals"]] == [(made[2], "pending"), (made[0], "pending")]
    assert listed["pagination"] == {"page": 1, "limit": 20, "total": 2, "totalPages": 1}
    second = users.data(program.get(f"{REQUESTS}?page=2&limit=2"))
    assert ([row["id"] for row in second["withdrawals"]], second["pagination"]["totalPages"]) == ([made[0]], 2)
    assert users.data(program.get(f"{REQUESTS}?limit=999"))["pagination"]["limit"] == 100
    for query in ("page=0", "page=x", "limit=0", "limit=-1", "status=nothing"):
        assert users.error(program.get(f"{REQUESTS}?{query}"))[0] == 400


@conformance("S approve with {} triggers the execution immediately")
def test_approving_a_pending_request_sends_it_on_its_way_at_once(
    redis_clean: str, django_capture_on_commit_callbacks: Any
) -> None:
    program = users.program()
    make.lane()
    made = users.data(program.request(), status=201)
    assert (made["status"], made["fee"], made["netAmount"], made["userId"]) == ("pending", 2, 48, "user-12345")
    with django_capture_on_commit_callbacks(execute=True):
        approved = users.data(program.post(f"{REQUESTS}/{made['id']}/approve"))
    assert approved["status"] == "processing"
    assert rung("worker") == ["payouts.tasks.dispatch"]
    tasks.dispatch()
    assert Withdrawal.objects.get().status == Status.PROCESSING


@conformance("S reject restores the pending amount to the merchant balance")
def test_rejecting_gives_the_merchant_and_the_user_everything_back() -> None:
    program = users.program()
    before = make.holds(program.merchant), users.owed(program.merchant)
    made = users.data(program.request(), status=201)
    balance = users.data(program.get("/public/balance"))
    assert (balance["totalAmt"], balance["pendingAmt"]) == (1450, 50)
    assert users.data(program.post(f"{REQUESTS}/{made['id']}/reject"))["status"] == "rejected"
    assert (make.holds(program.merchant), users.owed(program.merchant)) == before


@conformance("S 400 Only pending withdrawals can be approved")
@conformance("R 400 Only pending withdrawals can be rejected")
@pytest.mark.parametrize("status", [*users.ROADS["request"]][1:])
def test_what_is_decided_is_decided(status: str) -> None:
    program = users.program()
    made = users.data(program.request(), status=201)["id"]
    users.reach(made, status)
    before = users.state(program.merchant)
    for decision in ("approve", "reject"):
        refused = users.error(program.post(f"{REQUESTS}/{made}/{decision}"))
        assert refused == (400, f"Only pending withdrawals can be {PAST[decision]}")
    assert users.state(program.merchant) == before
    assert program.status(made) == status


def test_a_create_is_not_the_merchants_to_decide() -> None:
    program = users.program()
    made = users.data(program.create(), status=201)["id"]
    for decision in ("approve", "reject"):
        status, text = users.error(program.post(f"{REQUESTS}/{made}/{decision}"))
        assert (status, text.startswith("Only pending withdrawals can be")) == (400, True)


@conformance("S apikey alone opens the reads and the create; approve and reject need x-api-secret: 401")
@conformance("N where x-api-secret is optional it is checked if sent: a wrong one is 401")
def test_the_secret_is_needed_to_decide_and_checked_wherever_it_is_sent() -> None:
    program = users.program()
    key = {"apikey": program.apikey}
    made = users.data(program.post(REQUESTS, CREATE, headers=key), status=201)["id"]
    users.data(program.post(users.CREATE_PATH, CREATE, headers=key), status=201)
    for path in (REQUESTS, f"/public/payout/get?id={made}"):
        users.data(program.get(path, headers=key))
        wrong = program.get(path, headers=key | {"x-api-secret": "0" * 64})
        assert users.error(wrong) == (401, "Invalid API secret")
    for decision in ("approve", "reject"):
        path = f"{REQUESTS}/{made}/{decision}"
        assert users.error(program.post(path, headers=key)) == NO_SECRET
        assert users.error(program.post(path, headers=key | {"x-api-secret": ""})) == NO_SECRET
        wrong = program.post(path, headers=key | {"x-api-secret": program.api_secret[:-1] + "g"})
        assert users.error(wrong) == (401, "Invalid API secret")
    assert program.status(made) == "pending"


@conformance("S GET /public/payout/get?id= tells of any payout or withdrawal")
def test_any_withdrawal_of_the_merchants_is_told_whichever_api_made_it() -> None:
    program = users.program()
    other = make.withdrawal(program.merchant, "100")
    told = users.data(program.get(f"/public/payout/get?id={other.id}"))
    assert (told["type"], told["userId"], told["amount"], told["status"]) == ("payout", None, 100, "pending")
    made = users.data(program.create(**on_erc20()), status=201)["id"]
    told = users.data(program.get(f"/public/payout/get?id={made}"))
    assert (told["type"], told["userId"], told["amount"]) == ("withdrawal", "user-12345", 50)
    assert (told["currencyType"], told["network"], told["walletAddress"]) == ("USDT-ERC20", "ERC20", make.EVM_ADDRESS)


@conformance("S POST /payout/create is disabled")
@conformance("R POST /payout/create answers 403, also under /public/")
@pytest.mark.parametrize("path", ["/payout/create", "/public/payout/create"])
def test_payouts_are_made_in_the_dashboard_alone(path: str) -> None:
    program = users.program()
    before = users.state(program.merchant)
    unknown: dict[str, str] = {}
    for headers in (unknown, None):
        answer = program.post(path, CREATE, headers=headers)
        assert users.error(answer) == (403, "Payouts can only be created in the dashboard")
        assert answer.json()["error"]["code"] == "FORBIDDEN"
    assert users.state(program.merchant) == before


@conformance("S autoWithdraw is false and maxAutoWithdrawAmount 100 by default")
@conformance("R the auto setting governs requests; the threshold is inclusive")
def test_the_auto_setting_says_yes_to_requests_up_to_and_with_its_threshold() -> None:
    program = users.program()
    users.data(program.request(amount=1.5e1), status=201)
    users.set_up(program.merchant, auto_withdraw=True)
    statuses = [users.data(program.request(amount=amount), status=201)["status"] for amount in (100, 100.000001)]
    assert statuses == ["processing", "pending"]
    asked = Withdrawal.objects.order_by("id").values_list("approval", flat=True)
    assert list(asked) == [Approval.MERCHANT, Approval.NONE, Approval.MERCHANT]


def test_a_yes_beforehand_does_not_replace_the_approvers_where_policy_asks_them() -> None:
    program = users.program()
    users.set_up(program.merchant, auto_withdraw=True)
    make.policy(program.merchant, Approval.TWO_LEVELS)
    made = users.data(program.request(), status=201)["id"]
    assert Withdrawal.objects.get().approval == Approval.TWO_LEVELS
    for decision in ("approve", "reject"):
        answer = program.post(f"{REQUESTS}/{made}/{decision}")
        assert users.error(answer) == (403, "This withdrawal is not the merchant's to decide")
