"""The signer against everybody else: whatever the application's role and the broker can do, it pays what was approved.

The attacker here has the application's database role and Redis, as a worker in strange hands has; not APPROVAL_KEY,
which a worker does not get (what a web process in strange hands could do is for the caps: tests/chain/test_caps.py).
"""

# ruff: noqa: S608 - statements made of these tests' own words

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from chain import families, networks, pausing, wallets
from chain.models import AttemptState, HotWallet, Intent, IntentState, SignedAttempt
from payouts import tasks
from payouts.withdrawals import authority, evidence, payload, withdrawals
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal
from tests import databases, make
from tests.chain import labs

FUNDS, AMOUNT, ARRIVES = make.usdt("1000"), "100", make.usdt("99")


@contextmanager
def acting(role: str) -> Iterator[None]:
    """Be that role and nothing more on Django's connection; a transaction that fails takes the role back with it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        yield
        cursor.execute("RESET ROLE")


def signed() -> int:
    """One sweep of the signer, as its own role."""
    Intent.objects.filter(state=IntentState.OPEN).update(next_sign_at=timezone.now())
    with acting("sluice_signer"):
        return tasks.sign()


def rest(lab: labs.Lab) -> None:
    """Send, confirm, watch and settle, as the application."""
    Intent.objects.filter(state=IntentState.OPEN).update(next_send_at=timezone.now())
    with acting("sluice_app"):
        tasks.send()
        labs.finalise(lab)
        Intent.objects.filter(state=IntentState.OPEN).update(next_watch_at=timezone.now())
        tasks.watch()
        tasks.settle()


def dispatched(network: str) -> Withdrawal:
    """A withdrawal that two people have approved, handed to the chain."""
    made = make.approved(make.merchant(funds="1000"), AMOUNT, network=network, destination=labs.recipient(network))
    with acting("sluice_app"):
        return withdrawals.dispatch(made.id, now=make.now())


@pytest.mark.chains
def test_each_process_does_its_part_with_its_own_role_alone(
    committed: databases.Database, lab: labs.Lab, redis_clean: str
) -> None:
    lab.wallet(units=FUNDS)
    made = dispatched(lab.network)
    assert signed() == 1
    rest(lab)
    assert Withdrawal.objects.get(id=made.id).status == Status.COMPLETED
    assert lab.balance(made.destination) == ARRIVES


COPIED = "withdrawal_id, verb, from_status, to_status, actor, person_id, payload_hash, reason, data, evidence, at"
TOP_UP_OF_A_THIEF = """
INSERT INTO chain_intent SELECT (jsonb_populate_record(i, '{"id": "0197f0e0-0000-7000-8000-000000000001", "seq": 1,
    "purpose": "topup", "payout_id": null, "contract": ""}')).* FROM chain_intent i
"""
REFUSED = {
    "sluice_app": [
        "INSERT INTO chain_signedattempt SELECT * FROM chain_signedattempt WHERE false",
        *(
            f"UPDATE chain_signedattempt SET {change}"
            for change in (
                "raw = 'x'",
                "txid = 'x'",
                "intent_id = gen_random_uuid()",
                "signed_at = now() - interval '1 day'",
                "attended = NOT attended",
            )
        ),
        *(
            f"UPDATE chain_intent SET {change}"
            for change in (
                "to_address = 'x'",
                "amount_units = amount_units + 1",
                "contract = 'x'",
                "seq = seq + 100",
                "payout_id = gen_random_uuid()",
                "wallet_id = 0",
                "purpose = 'anchor', payout_id = NULL",
            )
        ),
        *(
            f"UPDATE payouts_withdrawal SET {change}"
            for change in (
                "destination = 'x'",
                "amount_units = amount_units + 1, net_units = net_units + 1",
                "fee_units = fee_units - 1, net_units = net_units + 1",
                "asset = 'USDC'",
                "network = 'bsc'",
                "approval = 'NONE'",
                "maker_id = level1_by_id, level1_by_id = NULL",
            )
        ),
        "UPDATE chain_hotwallet SET address = 'x'",
        "UPDATE chain_hotwallet SET kind = 'deposit', number = 1, touched_block = 1, touched_at = now()",
        TOP_UP_OF_A_THIEF,
        "INSERT INTO chain_hotwallet SELECT * FROM chain_hotwallet WHERE false",
        "UPDATE payouts_steptaken SET payload_hash = 'x'",
        f"INSERT INTO payouts_steptaken ({COPIED}) SELECT {COPIED} FROM payouts_steptaken WHERE verb = 'approve_l1'",
        *(
            f"DELETE FROM {table}"
            for table in (
                "chain_signedattempt",
                "chain_intent",
                "chain_hotwallet",
                "chain_broadcastattempt",
                "payouts_withdrawal",
                "payouts_steptaken",
            )
        ),
        "ALTER TABLE payouts_withdrawal DROP CONSTRAINT four_eyes",
        "ALTER TABLE payouts_steptaken DISABLE TRIGGER ALL",
        "DROP TRIGGER intent_kept ON chain_intent",
        "ALTER FUNCTION chain_keep_intent RENAME TO kept",
        "SET session_replication_role = replica",
        "GRANT sluice_signer TO sluice_app",
        "INSERT INTO payouts_extendedkey (network, path, xpub, created_at) VALUES ('bsc', 'm', 'x', now())",
    ],
    "sluice_signer": [
        "INSERT INTO chain_intent SELECT * FROM chain_intent WHERE false",
        "SELECT chain_deposit_lane('tron', 1, 'T1', 1, now())",
        "UPDATE chain_intent SET state = 'DEAD'",
        "INSERT INTO payouts_steptaken SELECT * FROM payouts_steptaken WHERE false",
        "UPDATE payouts_withdrawal SET status = 'APPROVED'",
        "INSERT INTO ledger_event SELECT * FROM ledger_event WHERE false",
        "SELECT ledger_seal(1, now())",
        "SELECT * FROM auth_user",
        "SELECT * FROM otp_totp_totpdevice",
        "SELECT * FROM payouts_apikey",
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize("role", REFUSED)
def test_the_database_refuses_what_a_role_has_no_business_with(role: str, redis_clean: str) -> None:
    make.lane("tron")
    made = make.approved(make.merchant(funds="1000"), AMOUNT, maker=make.approver(1).person)
    withdrawals.dispatch(made.id, now=make.now())
    attempt = {"number": 1, "txid": "t", "raw": b"b", "fees": {}, "ref_number": 1, "ref_hash": "a"}
    SignedAttempt.objects.create(intent=Intent.objects.get(), signed_at=make.now(), **attempt)
    guards = psycopg.errors.InsufficientPrivilege | psycopg.errors.IntegrityError
    for statement in REFUSED[role]:
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), acting(role), connection.cursor() as cursor:
            cursor.execute(statement)
        assert isinstance(refused.value.__cause__, guards), statement


@pytest.mark.django_db
@pytest.mark.chains
def test_the_signers_role_takes_a_new_wallet_into_use(anvil_url: str) -> None:
    address = labs.recipient("ethereum")
    pausing.pause("ethereum", by="tests", reason="a pause stands before the wallet is there", now=timezone.now())
    with acting("sluice_signer"):
        wallet = wallets.enrol("ethereum", address=address)
    assert (wallet.address, wallet.paused) == (address, True)


@pytest.mark.django_db
def test_no_role_is_another() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role('sluice_app', 'sluice_signer', 'MEMBER')")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT pg_has_role('sluice_signer', 'sluice_app', 'MEMBER')")
        assert cursor.fetchone() == (False,)


# --- what he can write, and what comes of it -------------------------------------------------------------------------


def step_of(of: Withdrawal, verb: str, *, person: Any = None, **changes: Any) -> None:
    row = {"actor": "forger", "to_status": "APPROVED", "payload_hash": payload.payload_hash(of), "at": make.now()}
    StepTaken.objects.create(withdrawal=of, verb=verb, person=person, **(row | changes))


def forged(like: Withdrawal, *, to: str, approval: Approval) -> Withdrawal:
    """A withdrawal that says of itself that it was approved, and its order."""
    made = Withdrawal.objects.get(id=like.id)
    made.id, made.destination, made.approval = UUID(str(uuid7())), to, approval
    made.save(force_insert=True)
    return made


def ordered(of: Withdrawal, **changes: Any) -> Intent:
    """An intent for it, past every rule of ours."""
    wallet = HotWallet.objects.get(network=of.network)
    due = dict.fromkeys(("created_at", "next_sign_at", "next_send_at", "next_watch_at"), make.now())
    row = {
        "payout_id": of.id,
        "network": of.network,
        "asset": "USDT",
        "contract": networks.token(of.network, "USDT").contract,
        "to_address": of.destination,
        "amount_units": int(of.net_units),
        "seq": wallet.next_seq + Intent.objects.filter(wallet=wallet).count(),
    }
    return Intent.objects.create(wallet=wallet, **due, **(row | changes))


def forgeries(network: str, thief: str) -> None:
    """Everything that somebody with the application's role can add, for one network."""
    approved, people = dispatched(network), [make.approver(1).person, make.approver(2).person]
    steps = {step.verb: step for step in approved.steps.all()}
    with acting("sluice_app"):
        alone = forged(approved, to=thief, approval=Approval.TWO_LEVELS)  # no step at all
        ordered(alone)
        two = forged(approved, to=thief, approval=Approval.TWO_LEVELS)
        for number, person in enumerate(people, start=1):
            step_of(two, f"approve_l{number}", person=person)
        ordered(two)
        reused = forged(approved, to=thief, approval=Approval.TWO_LEVELS)  # another's approvals, evidence included
        for verb in ("approve_l1", "approve_l2"):
            step_of(reused, verb, person=steps[verb].person, evidence=steps[verb].evidence, actor=steps[verb].actor)
        ordered(reused)
        as_it_was = forged(approved, to=thief, approval=Approval.TWO_LEVELS)  # with the hash of what was approved
        for verb in ("approve_l1", "approve_l2"):
            copied = {name: getattr(steps[verb], name) for name in ("payload_hash", "evidence", "actor")}
            step_of(as_it_was, verb, person=steps[verb].person, **copied)
        ordered(as_it_was)
        merchants = forged(approved, to=thief, approval=Approval.MERCHANT)
        step_of(merchants, "merchant_approve")
        ordered(merchants)
        nobodys = forged(approved, to=thief, approval=Approval.NONE)  # above the cap of what nobody said yes to
        step_of(nobodys, "auto_approve")
        ordered(nobodys)
        ordered(approved, payout_id=uuid7(), to_address=thief)  # a payout that does not exist
        if network != "tron":
            ordered(approved, purpose="anchor", payout_id=None, asset="", contract="", amount_units=0, data="00")


def hijacked(network: str, **changes: Any) -> Withdrawal:
    """An approved withdrawal whose order somebody else wrote first."""
    made = make.approved(make.merchant(funds="1000"), AMOUNT, network=network, destination=labs.recipient(network))
    with acting("sluice_app"):
        Withdrawal.objects.filter(id=made.id).update(status=Status.PROCESSING)
        ordered(made, **changes)
    return made


def rung_with_lies() -> None:
    """Redis in hand: any task with any arguments into the signer's queue."""
    with acting("sluice_signer"):
        for arguments in (("pay", "me"), ({"intent": "1"},)):
            assert tasks.sign.apply(args=arguments).failed()


@pytest.mark.chains
def test_with_the_applications_role_and_redis_in_hand_only_what_was_approved_is_paid(
    committed: databases.Database, lab: labs.Lab, redis_clean: str, settings: Settings
) -> None:
    settings.SIGNER_CAPS = '{"USDT": {"payment": "1000", "hour": "10000", "unattended": "1"}}'
    network, thief = lab.network, labs.recipient(lab.network)
    wallet = lab.wallet(units=FUNDS)
    paid = dispatched(network)
    assert signed() == 1
    forgeries(network, thief)
    for change in ({"to_address": thief}, {"amount_units": FUNDS}, {"asset": "USDC"}, {"contract": thief}):
        hijacked(network, **change)
    rung_with_lies()
    for _ in range(3):
        signed()
        audit_attempts(network, thief)
    rest(lab)
    assert lab.balance(thief) == 0
    assert lab.balance(paid.destination) == ARRIVES
    spent = FUNDS - lab.balance(wallet.address)
    arrived = sum(lab.balance(row.destination) for row in approved_by_two())
    assert spent == arrived
    assert {lab.balance(row.destination) for row in approved_by_two()} <= {0, ARRIVES}


def approved_by_two() -> list[Withdrawal]:
    """Those whose two approvals carry their evidence."""
    rows = Withdrawal.objects.filter(status__in=[Status.PROCESSING, Status.COMPLETED])
    return [
        row
        for row in rows
        if {step.verb for step in row.steps.all() if step.verb in evidence.VERBS and evidence.holds(step)}
        == {"approve_l1", "approve_l2"}
    ]


def audit_attempts(network: str, thief: str) -> None:
    """Decode everything that was ever signed."""
    gateway, approved = families.gateway(network), {row.destination for row in approved_by_two()}
    for attempt in SignedAttempt.objects.all():
        transfer = gateway.read(bytes(attempt.raw)).transfer
        assert (transfer.to_address in approved, transfer.amount_units) == (True, ARRIVES)
        assert thief not in (transfer.to_address, transfer.contract)
    assert SignedAttempt.objects.values("intent__payout_id").distinct().count() == SignedAttempt.objects.count()


@pytest.mark.chains
def test_bytes_that_are_called_expired_are_looked_for_before_new_ones_are_signed(
    committed: databases.Database, tron: labs.TronLab, redis_clean: str
) -> None:
    """Both would be valid, and pay twice."""
    wallet = tron.wallet(units=FUNDS)
    paid = dispatched("tron")
    assert signed() == 1
    with acting("sluice_app"):
        tasks.send()
        SignedAttempt.objects.update(state=AttemptState.EXPIRED, proof={"absent_from": "everywhere"})
    signed()
    assert "called expired" in Intent.objects.get().last_error
    tron.mine()
    signed()
    rest(tron)
    signed()
    assert SignedAttempt.objects.count() == 1
    assert (tron.balance(paid.destination), tron.balance(wallet.address)) == (ARRIVES, FUNDS - ARRIVES)


@pytest.mark.chains
@pytest.mark.parametrize("lie", [{"bump_due": True}, None], ids=["bump", "void"])
def test_a_replacement_that_nobody_needs_pays_no_second_time(
    committed: databases.Database, ethereum: labs.EvmLab, redis_clean: str, lie: dict[str, Any] | None
) -> None:
    wallet = ethereum.wallet(units=FUNDS)
    paid = dispatched("ethereum")
    for _ in range(3):
        assert signed() == 1
        with acting("sluice_app"):
            tasks.send()
            if lie:
                Intent.objects.update(**lie)
            else:
                SignedAttempt.objects.filter(state="LIVE").update(state=AttemptState.VOID)
    signed()
    rest(ethereum)
    rest(ethereum)
    assert (ethereum.balance(paid.destination), ethereum.balance(wallet.address)) == (ARRIVES, FUNDS - ARRIVES)


@pytest.mark.django_db
def test_a_yes_is_believed_with_its_evidence_alone(settings: Settings, redis_clean: str) -> None:
    make.lane()
    made = withdrawals.dispatch(make.approved(make.merchant(funds="1000")).id, now=make.now())
    assert authority.authorised(made.id).attended
    settings.APPROVAL_KEY = b"\1" * 32  # whoever wrote it did not have the key
    with pytest.raises(authority.NotAuthorised, match="evidence"):
        authority.authorised(made.id)


@pytest.mark.django_db
@pytest.mark.chains
def test_of_many_that_are_signed_together_one_without_evidence_stays_out(
    tron: labs.TronLab, settings: Settings, redis_clean: str
) -> None:
    tron.wallet(units=FUNDS)
    book, key = make.merchant(funds="1000"), settings.APPROVAL_KEY
    ids = []
    for written_with in (key, b"\1" * 32, key):
        settings.APPROVAL_KEY = written_with
        ids.append(make.approved(book, network="tron", destination=labs.recipient("tron")).id)
    tasks.dispatch()
    assert signed() == 2
    assert set(SignedAttempt.objects.values_list("intent__payout_id", flat=True)) == {ids[0], ids[2]}
    assert "without its evidence" in Intent.objects.get(payout_id=ids[1]).last_error


@pytest.mark.django_db
def test_a_process_without_the_key_can_give_nobodys_yes(settings: Settings, redis_clean: str) -> None:
    made, one = make.withdrawal(make.merchant(funds="1000")), make.approver(1)
    settings.ROLE, settings.APPROVAL_KEY = "worker", b""
    with pytest.raises(evidence.KeyMissing):
        make.approve(made.id, level=1, by=one)
    assert Withdrawal.objects.get(id=made.id).status == Status.PENDING


ROLES: dict[str, tuple[bytes, Callable[[list[str]], bool]]] = {
    "web": (b"", lambda ids: "payouts.E001" in ids),
    "signer": (b"short", lambda ids: "payouts.E001" in ids),
    "worker": (b"\1" * 32, lambda ids: "payouts.W001" in ids),
    "beat": (b"", lambda ids: not any(one.startswith("payouts.") for one in ids)),
}


@pytest.mark.parametrize("role", ROLES)
def test_the_key_is_where_it_belongs(settings: Settings, role: str) -> None:
    key, so = ROLES[role]
    settings.ROLE, settings.APPROVAL_KEY = role, key
    assert so([found.id or "" for found in run_checks()])
