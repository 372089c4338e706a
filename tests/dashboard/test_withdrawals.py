"""The company's withdrawals: found, read with their whole way, called back, decided; other companies' are not there."""

import pytest
from django.db import transaction

from chain.models import IntentState
from payouts.api import dialects
from payouts.merchants.models import Member, Merchant
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Approval, Status, Withdrawal
from tests import make
from tests.api import users
from tests.dashboard.visitors import Visitor, fields
from tests.payouts import desk

pytestmark = pytest.mark.django_db
LIST = "/dashboard/withdrawals"


@pytest.fixture
def merchant() -> Merchant:
    return make.merchant(funds="10000")


@pytest.fixture
def visitor(merchant: Merchant) -> Visitor:
    return Visitor(merchant)


def public_id(row: Withdrawal) -> str:
    return dialects.DIALECTS[row.api].public_id(row.id)


def ids(visitor: Visitor, query: str = "") -> list[str]:
    return [str(one["href"]).rpartition("/")[2] for one in visitor.page(f"{LIST}{query}").select("td a.whole")]


def test_a_list_is_narrowed_searched_and_turned(visitor: Visitor, merchant: Merchant) -> None:
    made = [make.withdrawal(merchant, "10") for _ in range(27)]
    there = make.withdrawal(merchant, "20", network="ethereum", destination=make.EVM_ADDRESS)
    newest = [public_id(row) for row in reversed([*made, there])]
    assert ids(visitor) == newest[:25]
    older = visitor.page(LIST).select_one(".pager a")
    assert older is not None
    assert ids(visitor, str(older["href"])) == newest[25:]
    assert ids(visitor, "?network=ethereum") == ids(visitor, f"?q={public_id(there)}") == [public_id(there)]
    assert ids(visitor, f"?q={make.EVM_ADDRESS.lower()}") == ids(visitor, f"?q={there.id}") == [public_id(there)]
    assert ids(visitor, "?status=COMPLETED") == ids(visitor, "?until=2001-01-01") == ids(visitor, "?q=nothing") == []
    assert ids(visitor, "?until=9999-12-31&since=0001-01-01") == newest[:25]
    for odd in ("?status=ODD", "?since=x", "?before=x", "?q=%00", "?asset=' OR 1=1"):
        assert visitor.get(LIST + odd).status_code == 200
    part = visitor.get(f"{LIST}?network=ethereum", HX_Request="true")
    assert b"<html" not in part.content
    assert public_id(there).encode() in part.content


def test_a_withdrawal_shows_its_whole_way(visitor: Visitor, merchant: Merchant) -> None:
    made = make.approved(merchant)
    make.lane()
    withdrawals.dispatch(made.id, now=make.now())
    withdrawals.settle(make.decided(made, IntentState.PAID), now=make.now())
    made.refresh_from_db()
    page = visitor.page(f"{LIST}/{public_id(made)}")
    text = page.get_text(" ", strip=True)
    assert [one.get_text() for one in page.select(".timeline-title")] == [
        "Made, amount frozen",
        "First approval",
        "Second approval",
        "Handed to the network",
        "Paid: final on the network",
    ]
    assert str(made.level1_by) not in text  # who of us decided is our matter
    link = page.select_one("a.outside")
    assert link is not None
    assert link["href"] == f"https://tronscan.org/#/transaction/{made.txid}"
    assert "FREEZE" in text
    assert "DEBIT" in text
    assert "hx-trigger" not in str(page.select_one("#withdrawal"))  # it has ended: nobody asks again


def test_the_page_is_asked_for_again_only_when_the_status_moved(visitor: Visitor, merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    path = f"{LIST}/{public_id(made)}"
    assert visitor.get(f"{path}?seen=PENDING", HX_Request="true").status_code == 204
    withdrawals.screen(made.id, now=make.now())
    moved = visitor.get(f"{path}?seen=PENDING", HX_Request="true")
    assert "in review" in desk.text(moved)
    assert b"<html" not in moved.content


def test_who_may_pay_may_call_back_until_it_is_handed_over(visitor: Visitor, merchant: Merchant) -> None:
    made, sent = make.withdrawal(merchant), make.nodded(merchant)
    make.lane()
    withdrawals.dispatch(sent.id, now=make.now())
    viewer = Visitor(merchant, Member.Role.VIEWER)
    assert viewer.post(f"{LIST}/{public_id(made)}/cancel").status_code == 403
    assert "/cancel" not in str(viewer.page(f"{LIST}/{public_id(made)}"))
    for row in (made, sent):
        assert visitor.post(f"{LIST}/{public_id(row)}/cancel").status_code == 302
        row.refresh_from_db()
    assert (made.status, sent.status) == (Status.CANCELLED, Status.PROCESSING)
    assert "Too late" in visitor.page(f"{LIST}/{public_id(sent)}").get_text()


def asked(merchant: Merchant) -> Withdrawal:
    users.enrol_keys()
    wallet = users.wallet(merchant, "somebody")
    users.deposit(wallet, "500")
    rule = make.policy(merchant, Approval.MERCHANT)
    made = make.withdrawal(merchant, "50", api="public", channel="request", user_wallet=wallet)
    make.unruled(rule)
    return made


@pytest.mark.parametrize(("choice", "status"), [("approve", Status.APPROVED), ("reject", Status.REJECTED)])
def test_what_users_ask_for_is_decided_with_a_code(
    visitor: Visitor, merchant: Merchant, choice: str, status: Status
) -> None:
    made = asked(merchant)
    path = f"{LIST}/{public_id(made)}/{choice}"
    last = fields(visitor.page(path), "confirm")
    other = "reject" if choice == "approve" else "approve"
    assert visitor.post(f"{LIST}/{public_id(made)}/{other}", last, otp=visitor.code()).status_code == 400
    assert Withdrawal.objects.get(id=made.id).status == Status.PENDING
    last = fields(visitor.page(path), "confirm")
    assert visitor.post(path, last, otp=visitor.code()).status_code == 302
    made.refresh_from_db()
    assert made.status == status
    assert visitor.get(path).status_code == 302  # there is nothing left to decide


def test_other_companies_withdrawals_are_not_there(visitor: Visitor) -> None:
    theirs = make.withdrawal(make.merchant(funds="1000"))
    held = make.holds(theirs.merchant)
    absent = visitor.get(f"{LIST}/wd_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    for name in (public_id(theirs), str(theirs.id)):
        for path in ("", "/approve", "/reject"):
            foreign = visitor.get(f"{LIST}/{name}{path}")
            assert foreign.status_code == absent.status_code == 404
        with transaction.atomic():
            assert visitor.post(f"{LIST}/{name}/cancel").status_code == 404
        assert ids(visitor, f"?q={name}") == []
    assert Withdrawal.objects.get(id=theirs.id).status == Status.PENDING
    assert make.holds(theirs.merchant) == held
