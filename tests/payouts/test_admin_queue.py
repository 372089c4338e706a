"""The approvers' queue and a withdrawal's page: what they show, to whom, in which order."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from chain import costs, gateway
from chain.models import Intent
from payouts import admin
from payouts.api import dialects
from payouts.webhooks import endpoints
from payouts.withdrawals import sheet, withdrawals
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.payouts.desk import QUEUE, Desk, in_review, soup, state, superuser, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def listed(answer: Any) -> list[str]:
    """The ids in the order of the list."""
    links = soup(answer).select("#result_list th.field-state a")
    return [str(link["href"]).split("/")[4] for link in links]


def ids(*withdrawals: Withdrawal) -> list[str]:
    return [str(withdrawal.id) for withdrawal in withdrawals]


def public_id(withdrawal: Withdrawal) -> str:
    return dialects.DIALECTS["merchant"].public_id(withdrawal.id)


def test_a_first_level_approver_finds_what_waits_for_level_1_oldest_first() -> None:
    first, second, approved = in_review(), in_review(), in_review()
    make.approve(approved.id, level=1, by=make.approver(1))
    assert listed(Desk(make.approver(1)).get(QUEUE)) == ids(first, second)


def test_a_second_level_approver_finds_what_waits_for_level_2() -> None:
    in_review()
    approved = in_review()
    make.approve(approved.id, level=1, by=make.approver(1))
    assert listed(Desk(make.approver(2)).get(QUEUE)) == ids(approved)


def test_nobody_is_asked_about_what_they_made_or_approved() -> None:
    approver = make.approver(1)
    approver.person.user_permissions.add(Permission.objects.get(codename="approve_level2"))
    in_review(maker=approver.person)
    make.approve(in_review().id, level=1, by=approver)
    others = in_review()
    assert listed(Desk(approver).get(QUEUE)) == ids(others)


def test_everything_is_shown_newest_first_when_asked_for() -> None:
    first, second = in_review(), in_review()
    make.reject(first.id, by=make.approver(1))
    desk = Desk(make.approver(2))
    assert listed(desk.get(QUEUE)) == []
    assert listed(desk.get(f"{QUEUE}?waiting=all")) == ids(second, first)


def test_filters_narrow_by_status_network_and_merchant() -> None:
    tron, ethereum = in_review(), in_review(network="ethereum", destination=make.EVM_ADDRESS)
    desk = Desk(make.approver(1))
    assert listed(desk.get(f"{QUEUE}?network__exact=ethereum")) == ids(ethereum)
    assert listed(desk.get(f"{QUEUE}?merchant__id__exact={tron.merchant_id}")) == ids(tron)
    assert listed(desk.get(f"{QUEUE}?waiting=all&status__exact=REJECTED")) == []


def test_search_takes_public_ids_uuids_addresses_in_any_case_and_txids() -> None:
    evm = in_review(network="ethereum", destination=make.EVM_ADDRESS)
    tron = in_review()
    make.reject(evm.id, by=make.approver(1))
    Withdrawal.objects.filter(id=tron.id).update(txid="ab" * 32)
    desk = Desk(make.approver(2))
    for term in (public_id(evm), str(evm.id), make.EVM_ADDRESS, make.EVM_ADDRESS.lower()):
        assert listed(desk.get(f"{QUEUE}?q={term}")) == ids(evm)
    for term in ("ab" * 32, make.TRON_ADDRESS, f" {make.TRON_ADDRESS} "):
        assert listed(desk.get(f"{QUEUE}?q={term}")) == ids(tron)
    assert listed(desk.get(f"{QUEUE}?q={make.TRON_ADDRESS[:10]}")) == []


def test_the_queue_shows_addresses_and_amounts_whole() -> None:
    amount = make.usdt("12345.678901")
    withdrawal = in_review(funds="20000", amount_units=amount, network="ethereum", destination=make.EVM_ADDRESS)
    shown = text(Desk(make.approver(1)).get(QUEUE))
    for fact in (make.EVM_ADDRESS, "12,345.678901 USDT", "12,344.678901 USDT", "1.00 USDT", "Ethereum (ERC20)"):
        assert fact in shown
    assert withdrawal.merchant.name in shown
    assert "first withdrawal to this address" in shown


def test_the_page_tells_the_whole_story() -> None:
    merchant = make.merchant(funds="60", credit="50")
    endpoints.register(
        merchant, api="merchant", url="https://hooks.example.com/x", events=["withdrawal.created"], now=make.now()
    )
    withdrawal = make.withdrawal(merchant)
    make.reject(withdrawal.id, by=(approver := make.approver(1)), reason="unknown recipient")
    Withdrawal.objects.filter(id=withdrawal.id).update(txid="cd" * 32)
    shown = text(Desk(make.approver(1)).get(f"{QUEUE}{withdrawal.id}/change/"))
    for fact in (
        *(withdrawal.destination, public_id(withdrawal), str(withdrawal.id), "100.00 USDT", "99.00 USDT", "40.00 USDT"),
        *("unknown recipient", approver.person.username, "CREDIT_DRAW", "FREEZE", "REFUND", "CREDIT_REPAY"),
        *(
            "withdrawal.created",
            "https://hooks.example.com/x",
            "cd" * 32,
            f"https://tronscan.org/#/transaction/{'cd' * 32}",
        ),
    ):
        assert fact in shown


def test_the_page_tells_what_the_chain_took_for_it() -> None:
    merchant = make.merchant(funds="100")
    make.lane()
    approved = make.approved(merchant)
    withdrawals.dispatch(approved.id, now=make.now())
    intent = Intent.objects.get(payout_id=approved.id)
    burned = gateway.Spent("ef" * 32, 77, 13_745_000, {"energy": 130_000, "bandwidth_fee_sun": 745_000})
    costs.record([(intent, burned)], now=make.now())
    shown = text(Desk(make.approver(1)).get(f"{QUEUE}{approved.id}/change/"))
    for fact in ("13.745 TRX", "energy 130,000", "bandwidth fee sun 745,000"):
        assert fact in shown


def test_buttons_are_there_for_those_who_may_press_them() -> None:
    withdrawal = in_review()
    make.approve(withdrawal.id, level=1, by=(first := make.approver(1)))

    def buttons(approver: make.Approver) -> list[str]:
        page = soup(Desk(approver).get(f"{QUEUE}{withdrawal.id}/change/"))
        return [str(link["href"]).split("/")[-2] for link in page.select("a.desk-approve, a.desk-reject")]

    assert buttons(make.approver(2)) == ["approve", "reject"]
    assert buttons(make.approver(1)) == []
    assert buttons(first) == []
    assert buttons(superuser()) == ["approve", "reject"]


@pytest.mark.parametrize("page", ["add/", "{id}/change/", "{id}/delete/"])
def test_nobody_adds_changes_or_deletes_a_withdrawal_here(page: str) -> None:
    desk, withdrawal = Desk(superuser()), in_review()
    before = state(withdrawal)
    answer = desk.client.post(QUEUE + page.format(id=withdrawal.id), {"status": "COMPLETED", "post": "yes"})
    assert (answer.status_code, state(withdrawal)) == (403, before)


def test_no_action_deletes_withdrawals() -> None:
    desk, withdrawal = Desk(superuser()), in_review()
    fields = {"action": "delete_selected", "_selected_action": str(withdrawal.id), "post": "yes"}
    desk.client.post(QUEUE, fields)
    assert Withdrawal.objects.filter(id=withdrawal.id).exists()


REGISTERED = list(admin.site._registry)  # noqa: SLF001 - Django offers no other list


def test_history_and_ledger_are_written_nowhere_in_the_admin() -> None:
    touched = {"StepTaken", "IdempotencyKey", "Challenge", "Attempt", "SigningSecret", "Account", "Event", "TOTPDevice"}
    assert touched.isdisjoint(model.__name__ for model in REGISTERED)


def test_every_screen_opens_for_a_superuser() -> None:
    withdrawal = in_review()
    make.client(withdrawal.merchant)
    endpoints.register(
        withdrawal.merchant, api="merchant", url="https://hooks.example.com/x", events=[], now=make.now()
    )
    desk = Desk(superuser())
    for model in REGISTERED:
        options = model._meta  # noqa: SLF001 - Django's documented name
        path = f"/admin/{options.app_label}/{options.model_name}/"
        assert desk.get(path).status_code == 200, path
        row = model._default_manager.first()  # noqa: SLF001 - Django's documented name
        if row is not None:
            assert desk.get(f"{path}{row.pk}/change/").status_code == 200, path


def test_the_front_page_counts_what_waits() -> None:
    in_review()
    make.approve(in_review().id, level=1, by=make.approver(1))
    in_review()
    heaps = [
        heap.get_text(" ", strip=True) for heap in soup(Desk(make.approver(2)).get("/admin/")).select(".desk-heap")
    ]
    assert [heap.rsplit(" oldest", 1)[0] for heap in heaps[:3]] == [
        "Waiting for you 1",
        "Waiting for level 1 2",
        "Waiting for level 2 1",
    ]
    assert heaps[4] == "Processing 0 nothing"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=14, seconds=59), "14 min"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(days=3, hours=23, minutes=59), "3 d 23 h"),
    ],
)
def test_ages_are_told_in_their_two_largest_parts(span: timedelta, words: str) -> None:
    assert sheet.age(span) == words


@pytest.mark.parametrize(
    ("amount_units", "words"),
    [(0, "0.00 USDT"), (1, "0.000001 USDT"), (1_234_567_500_000, "1,234,567.50 USDT"), (-40_000_000, "-40.00 USDT")],
)
def test_no_digit_of_an_amount_is_lost(amount_units: int, words: str) -> None:
    assert sheet.money("USDT", amount_units) == words


@pytest.mark.parametrize(("query", "tab"), [("", "Waiting for you"), ("?waiting=2", "Waiting for level 2")])
def test_the_queue_says_whose_it_shows(query: str, tab: str) -> None:
    current = soup(Desk(make.approver(1)).get(QUEUE + query)).select('.desk-tabs [aria-current="page"]')
    assert [link.get_text() for link in current] == [tab]
