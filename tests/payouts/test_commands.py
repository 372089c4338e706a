"""`manage.py approve`, `reject` and `prove`: exit 0 when it is done, else the reason, and nothing changed."""

import io
import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from chain.models import Intent
from payouts import tasks
from payouts.api import dialects
from payouts.merchants.models import Merchant
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Status, Withdrawal
from tests import make, services
from tests.chain import labs
from tests.databases import Database
from tests.ledger import forgery


@pytest.fixture
def merchant(db: None) -> Merchant:
    return make.merchant(funds="1000")


def public_id(withdrawal: Withdrawal) -> str:
    return dialects.DIALECTS["merchant"].public_id(withdrawal.id)


def state(withdrawal: Withdrawal) -> dict[str, Any]:
    row = Withdrawal.objects.filter(id=withdrawal.id).values().get()
    return row | {"steps": withdrawal.steps.count(), "holds": make.holds(withdrawal.merchant)}


def run(command: str, withdrawal: str, *, by: make.Approver | str, otp: str | None = None, **options: Any) -> str:
    """What the command says; the person's own fresh code unless another is given."""
    name, code = (by, "123456") if isinstance(by, str) else (by.person.username, by.code())
    said = io.StringIO()
    call_command(command, withdrawal, username=name, otp=code if otp is None else otp, stdout=said, **options)
    return said.getvalue().strip()


def test_approve_takes_both_levels_of_two_people(merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    assert run("approve", public_id(made), by=make.approver(1), level=1) == f"{public_id(made)} is LEVEL1_APPROVED"
    assert run("approve", str(made.id), by=make.approver(2), level=2) == f"{made.id} is APPROVED"
    assert Withdrawal.objects.get(id=made.id).status == Status.APPROVED


def test_reject_refunds_and_says_why(merchant: Merchant) -> None:
    before = make.holds(merchant)
    made = make.withdrawal(merchant)
    assert run("reject", public_id(made), by=make.approver(1), reason="unknown").endswith("is REJECTED")
    assert (Withdrawal.objects.get(id=made.id).reason, make.holds(merchant)) == ("unknown", before)


def the_same_person(made: Withdrawal) -> str:
    one = make.approver(1)
    one.person.user_permissions.add(Permission.objects.get(codename="approve_level2"))
    run("approve", public_id(made), by=one, level=1)
    return run("approve", public_id(made), by=one, level=2)


REFUSED: dict[str, tuple[Callable[[Withdrawal], object], str]] = {
    "a wrong code": (lambda it: run("approve", public_id(it), by=make.approver(1), otp="000000", level=1), "code"),
    "no code": (lambda it: run("approve", public_id(it), by=make.approver(1), otp="", level=1), "six digits"),
    "the wrong level": (lambda it: run("approve", public_id(it), by=make.approver(2), level=1), "may not"),
    "too early": (lambda it: run("approve", public_id(it), by=make.approver(2), level=2), "PENDING"),
    "nobody": (lambda it: run("approve", public_id(it), by="nobody", level=1), "there is no user nobody"),
    "no withdrawal": (lambda _: run("approve", str(uuid4()), by=make.approver(1), level=1), "there is no withdrawal"),
    "no id": (lambda _: run("approve", "wd_x", by=make.approver(1), level=1), "there is no withdrawal wd_x"),
    "no such level": (lambda it: run("approve", public_id(it), by=make.approver(1), level="3"), "invalid choice"),
    "no reason": (lambda it: run("reject", public_id(it), by=make.approver(1), reason=" "), "say why"),
    "a wrong code to reject": (lambda it: run("reject", public_id(it), by=make.approver(1), otp="000000"), "code"),
    "the right to approve only": (lambda it: run("reject", public_id(it), by=make.approver(2)), "may not reject"),
}


@pytest.mark.parametrize(("attempt", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_says_why_and_changes_nothing(
    merchant: Merchant, attempt: Callable[[Withdrawal], object], reason: str
) -> None:
    made = make.withdrawal(merchant)
    before = state(made)
    with pytest.raises(CommandError, match=reason):
        attempt(made)
    assert state(made) == before


def test_one_person_cannot_approve_twice_by_command(merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    with pytest.raises(CommandError, match="three different people"):
        the_same_person(made)
    assert Withdrawal.objects.get(id=made.id).status == Status.LEVEL1_APPROVED


def test_a_code_that_approved_by_command_does_not_again(merchant: Merchant) -> None:
    one, two, by = make.withdrawal(merchant), make.withdrawal(merchant), make.approver(1)
    code = by.code()
    run("approve", public_id(one), by=by, otp=code, level=1)
    before = state(two)
    with pytest.raises(CommandError, match="used"):
        run("approve", public_id(two), by=by, otp=code, level=1)
    assert state(two) == before


def test_the_exit_code_tells_a_program(committed: Database) -> None:
    made, by = make.withdrawal(make.merchant(funds="1000")), make.approver(1)
    asked = ("manage.py", "approve", public_id(made), "--level", "1", "--as", by.person.username, "--otp")
    env = dict(os.environ)
    refused = services.run(*asked, "000000", env=env)
    assert (refused.returncode, Withdrawal.objects.get(id=made.id).status) == (1, Status.PENDING)
    assert "code" in refused.stderr
    assert "Traceback" not in refused.stderr
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    done = services.run(*asked, by.code(), env=env)
    assert (done.returncode, done.stdout.strip()) == (0, f"{public_id(made)} is LEVEL1_APPROVED")


# --- prove: ledger and chains ------------------------------------------------------------------------------------


def prove() -> tuple[str, str]:
    """Its output and its problems. Raises: CommandError."""
    said, problems = io.StringIO(), io.StringIO()
    try:
        call_command("prove", stdout=said, stderr=problems)
    except CommandError as error:
        return said.getvalue(), problems.getvalue() + str(error)
    return said.getvalue(), ""


@pytest.fixture
def books(committed: Database, ethereum: labs.EvmLab, tron: labs.TronLab, redis_clean: str) -> Merchant:
    """A merchant whose 500 are in our wallet on TRON, with an open, a cancelled and a paid-for withdrawal to come."""
    tron.wallet(units=make.usdt("500"))
    made = make.merchant(funds="500")
    make.withdrawal(made, "50")
    withdrawals.cancel(make.withdrawal(made, "60").id, by=withdrawals.DISPATCHER, now=make.now())
    return made


@pytest.mark.chains
def test_prove_agrees_with_itself_and_with_the_chains(books: Merchant) -> None:
    said, problems = prove()
    assert problems == ""
    assert "USDT on tron: ledger 500.00 = wallets 500.00 + in flight 0.00" in said
    assert "9 assets on networks where neither side has anything" in said  # TRX is there too, as gas money
    assert said.strip().endswith("everything holds")


@pytest.mark.chains
def test_prove_agrees_at_every_step_of_a_payment(books: Merchant, tron: labs.TronLab) -> None:
    make.nodded(books, "100", network="tron", destination=labs.recipient("tron"))
    for step in (
        tasks.dispatch,
        tasks.sign,
        tasks.send,
        tron.mine,
        lambda: labs.finalise(tron),
        tasks.watch,
        tasks.settle,
    ):
        step()
        assert prove()[1] == ""
    assert Intent.objects.get().collected_at is not None
    assert "ledger 401.00 = wallets 401.00 + in flight 0.00" in prove()[0]


FORGED = {
    "a forged event": "UPDATE ledger_event SET amount = amount + 1 WHERE kind = 'FREEZE'",
    "a changed balance": "UPDATE ledger_account SET balance = balance + 1000000 WHERE purpose = 'available'",
    "a missing event": "DELETE FROM ledger_event WHERE kind = 'REFUND'",
}


@pytest.mark.chains
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_prove_notices_a_forger_with_the_owners_role(books: Merchant, owner: psycopg.Connection, forge: str) -> None:
    """Invariant 1: replay finds what does not follow from the events."""
    owner.execute(forgery.OPEN)
    assert owner.execute(forge).rowcount > 0
    owner.execute(forgery.CLOSE)
    said, problems = prove()
    assert str(books.id) in problems
    assert "does not hold" in problems
    assert "everything holds" not in said


@pytest.mark.chains
@pytest.mark.parametrize("network", ["tron", "ethereum"])
def test_prove_notices_a_ledger_that_says_more_than_the_wallets_hold(books: Merchant, network: str) -> None:
    """Invariant 2: external = wallets."""
    make.deposit(books, "0.000001", network=network)
    said, problems = prove()
    assert f"USDT on {network}" in problems
    assert "is off by" in problems
    assert "everything holds" not in said


@pytest.mark.chains
def test_prove_notices_wallets_that_hold_more_than_the_ledger_says(books: Merchant, tron: labs.TronLab) -> None:
    tron.wallet(units=make.usdt("7"))
    assert "USDT on tron: ledger 500.00 = wallets 507.00 + in flight 0.00 is off by 7.00" in prove()[1]


@pytest.mark.chains
def test_prove_does_not_call_it_proven_when_a_chain_is_silent(books: Merchant, settings: Any) -> None:
    settings.TRON_RPC_URLS = ["http://127.0.0.1:1"]
    said, problems = prove()
    assert "cannot be read" in problems
    assert "everything holds" not in said
