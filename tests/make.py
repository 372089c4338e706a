"""Builders: test people and money, made through the services that users go through."""

import os
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from chain import addresses, transfers, units
from chain.models import HotWallet, Intent, IntentState
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement
from payouts.api.merchant import auth
from payouts.merchants import keys
from payouts.merchants.models import Merchant
from payouts.withdrawals import amending, approvers, decisions, withdrawals
from payouts.withdrawals.models import Approval, PolicyRule, Status, Withdrawal
from payouts.withdrawals.rule_models import RuleDecision
from tests.chain import steps as chain_steps

TRON_ADDRESS = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"
EVM_ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
ADDRESSES = {"tron": TRON_ADDRESS, "ethereum": EVM_ADDRESS}
Rule = TypeVar("Rule", bound=Model)
PASSWORD = "correct horse battery staple"


def now() -> datetime:
    return datetime.now(UTC)


def usdt(amount: str) -> int:
    return units.to_units("USDT", Decimal(amount))


def account(merchant: Merchant, purpose: Purpose, network: str = "") -> Ref:
    return Ref(book=merchant.id, owner=merchant.id, asset="USDT", purpose=purpose, network=network)


def merchant(*, funds: str = "0", credit: str = "0", mode: str = Merchant.Mode.LIVE) -> Merchant:
    made = Merchant.objects.create(name=f"merchant {uuid.uuid4().hex[:12]}", mode=mode)
    if Decimal(funds):
        deposit(made, funds)
    if Decimal(credit):
        ref = account(made, Purpose.CREDIT)
        posting.set_credit_limit(ref, limit_units=usdt(credit), by="tests", at=now())
    return made


def deposit(merchant: Merchant, amount: str, *, network: str = "tron") -> None:
    movement = Movement(
        id=uuid.uuid4(),
        txn=uuid.uuid4(),
        kind=Kind.DEPOSIT,
        source=account(merchant, Purpose.EXTERNAL, network),
        target=account(merchant, Purpose.AVAILABLE),
        amount_units=usdt(amount),
        reference="test deposit",
    )
    posting.post([movement])


def withdrawal(of: Merchant, amount: str = "100", **changes: Any) -> Withdrawal:
    wanted: dict[str, Any] = {
        "merchant": of,
        "api": "merchant",
        "asset": "USDT",
        "network": "tron",
        "destination": TRON_ADDRESS,
        "amount_units": usdt(amount),
        "actor": "tests",
    }
    return withdrawals.create(withdrawals.Order(**(wanted | changes)), now=now())


@dataclass(frozen=True, slots=True)
class Approver:
    """A test person with an authenticator in hand."""

    person: User
    totp_secret: str

    def code(self) -> str:
        """A valid code that this person has not used yet (devices accept one step to either side)."""
        device = TOTPDevice.objects.get(user=self.person)
        totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
        totp.time = time.time()
        steps = [totp.t() + drift for drift in (0, 1)]  # the one before would die with this half minute
        fresh = next((step for step in steps if step > device.last_t), None)
        if fresh is None:  # every code of this minute is used: forget that, as a minute's wait would
            TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1)
            fresh = steps[0]
        totp.time = fresh * device.step + device.t0
        return f"{totp.token():06d}"


def approver(level: int) -> Approver:
    enrolled = approvers.enrol(f"level{level}-{uuid.uuid4().hex[:8]}", level=level, password=PASSWORD)
    return Approver(enrolled.person, enrolled.totp_secret)


def approve(withdrawal_id: UUID, *, level: int, by: Approver) -> Withdrawal:
    verb = f"approve_l{level}"
    shown = decisions.show(Withdrawal.objects.get(id=withdrawal_id), verb, person=by.person, now=now())
    return decisions.approve(
        withdrawal_id, level=level, person=by.person, challenge_id=shown.id, code=by.code(), now=now()
    )


def reject(withdrawal_id: UUID, *, by: Approver, reason: str = "not today") -> Withdrawal:
    shown = decisions.show(Withdrawal.objects.get(id=withdrawal_id), "reject", person=by.person, now=now())
    return decisions.reject(
        withdrawal_id, person=by.person, challenge_id=shown.id, code=by.code(), reason=reason, now=now()
    )


def approved(of: Merchant, amount: str = "100", **changes: Any) -> Withdrawal:
    made = withdrawal(of, amount, **changes)
    approve(made.id, level=1, by=approver(1))
    return approve(made.id, level=2, by=approver(2))


def verdict(of: Withdrawal, outcome: str, *, intent_id: UUID) -> transfers.Verdict:
    return transfers.Verdict(
        intent_id=intent_id,
        payout_id=of.id,
        outcome=IntentState(outcome),
        txid=uuid.uuid4().hex * 2,
        proof={"made by": "tests"},
    )


def policy(of: Merchant, approval: Approval, **changes: Any) -> PolicyRule:
    """From now on, this is who must approve what the merchant withdraws."""
    wanted: dict[str, Any] = {"priority": 0, "merchant": of, "approval": approval}
    return ruled(PolicyRule(**(wanted | changes)))


def ruled(row: Rule) -> Rule:
    """Two people have put this rule, or this new state of it, into effect."""
    kind = next(kind for kind, model in amending.MODELS.items() if isinstance(row, model))
    made = agreed(amending.Change(kind, row.pk, amending.values(row)))
    row.pk = made.row
    row.refresh_from_db()
    return row


def unruled(row: Model) -> None:
    """Two people have taken this rule away."""
    kind = next(kind for kind, model in amending.MODELS.items() if isinstance(row, model))
    agreed(amending.Change(kind, row.pk, None))


def agreed(change: amending.Change, *, at: datetime | None = None) -> RuleDecision:
    """One person proposed it, another confirmed it; their codes are tested elsewhere."""
    names = [f"rules-{uuid.uuid4().hex}" for _ in range(2)]
    one, other = User.objects.bulk_create(User(username=name, is_superuser=True) for name in names)
    moment = at or now()
    return amending.enact(amending.propose(change, by=one, now=moment), by=other, now=moment)


def nodded(of: Merchant, amount: str = "100", **changes: Any) -> Withdrawal:
    """A withdrawal that policy alone has approved: no people, so it is quickly made."""
    rule = policy(of, Approval.NONE)
    made = withdrawals.screen(withdrawal(of, amount, **changes).id, now=now())
    unruled(rule)
    assert made.status == Status.APPROVED, made.review_notes
    return made


def lane(network: str = "tron", *, units: int = 10**30) -> HotWallet:
    """A wallet that takes orders and whose key nobody holds: enough until something is to be signed."""
    address = addresses.from_bytes(network, b"\x77" + os.urandom(19))
    return fund(HotWallet.objects.create(network=network, address=address), units=units)


def fund(wallet: HotWallet, *, units: int) -> HotWallet:
    """From now on the wallet holds this much of every token, and gas without end."""
    return chain_steps.rich(wallet, units=units)


def decided(of: Withdrawal, outcome: IntentState) -> transfers.Verdict:
    """The chain's last word about a dispatched withdrawal, as the watcher writes it down."""
    decided_intent(Intent.objects.get(payout_id=of.id), outcome)
    return next(verdict for verdict in transfers.verdicts(limit=1000) if verdict.payout_id == of.id)


def decided_intent(intent: Intent, outcome: IntentState = IntentState.PAID) -> None:
    """The same of an intent."""
    Intent.objects.filter(pk=intent.pk).update(
        state=outcome, txid=uuid.uuid4().hex * 2, proof={"made by": "tests"}, verdict_at=now()
    )


def holds(of: Merchant) -> dict[str, int]:
    """What the merchant's book holds: units by purpose, external by network too; accounts with nothing left out."""
    units = Counter[str]()
    for ref, held in balances.book(of.id):
        units["/".join(filter(None, (str(ref.purpose), ref.network)))] += held.balance_units
    return {name: amount_units for name, amount_units in units.items() if amount_units}


@dataclass(frozen=True, slots=True)
class MerchantClient:
    """A merchant's program that speaks the `merchant` API."""

    issued: keys.Issued

    def headers(self) -> dict[str, str]:
        ts = int(time.time())
        sig = auth.signature(self.issued.secret, key_id=self.issued.key.key_id, unix_ts=ts)
        return {"Authorization": f"Bearer {self.issued.key.key_id}:{ts}:{sig}"}

    def get(self, path: str) -> Any:
        return Client().get(path, headers=self.headers())

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        sent = headers and {name.replace("_", "-"): value for name, value in headers.items()}
        return Client().post(path, body, content_type="application/json", headers=self.headers() | dict(sent or {}))


def client(of: Merchant, *, issued_to: User | None = None) -> MerchantClient:
    return MerchantClient(keys.issue(of, api="merchant", issued_to=issued_to))
