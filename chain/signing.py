"""The signer's part: rebuild the payment, sign it, read it back, and commit the bytes before anybody sees them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError

from chain import addresses, alarms, anchoring, batching, caps, families, keys, lanes, networks, units
from chain.failpoints import committing, failpoint
from chain.gateway import (
    Candidate,
    ChainError,
    FeeCeiling,
    Gateway,
    Mismatch,
    Quote,
    Reading,
    Retryable,
    Signed,
    Transfer,
)
from chain.models import AttemptState, Intent, IntentState, Purpose, SignedAttempt
from chain.ordering import Payment

log = structlog.get_logger(__name__)

TRY_AGAIN_AFTER = timedelta(seconds=5)
ERROR_LENGTH = 500
REFUSED = "refused: "  # how `last_error` begins when a person must look


Expected = Payment | anchoring.Anchor | batching.Batch | batching.Allowance


class PayloadDiffers(Exception):
    """The approved payment, the ordered one and the bytes do not agree; nothing is signed, a person must look."""


def sign(intent_id: UUID, *, expected: Expected, now: datetime) -> SignedAttempt | None:
    """Sign what was approved: the first bytes, a replacement with higher fees, or new bytes after proven expiry.

    Only the signer process may. Returns None when nothing is to be signed now: the intent is decided or has its live
    bytes, its lane is paused, another signer was quicker, or the network cannot be read (noted, tried again later).

    Raises: NotTheSigner, KeyUnusable, PayloadDiffers, caps.OverCap.
    """
    if settings.ROLE != "signer":
        raise keys.NotTheSigner(f"a {settings.ROLE} process signs nothing")
    intent = Intent.objects.select_related("wallet").get(pk=intent_id)
    candidates = intent.candidates()
    previous = next((candidate for candidate in candidates if candidate.is_live), None)
    replaceable = intent.bump_due and networks.network(intent.network).family == "evm"  # elsewhere both could pay
    if intent.batch_id or intent.state != IntentState.OPEN or intent.wallet.paused or (previous and not replaceable):
        return None
    if previous is None and not lanes.covers(intent):
        put_off(intent.id, reason="its lane holds too little for it and those before it", now=now)
        return None
    try:
        return _attempted(intent, expected, candidates, now=now)
    except ChainError as unread:
        put_off(intent.id, reason=str(unread), now=now)
        failpoint("sign.after_put_off")
        if isinstance(unread, FeeCeiling):
            alarms.raise_alarm("payment.fees", subject=str(intent.id), text=str(unread), now=now)
        return None
    except caps.OverCap as capped:
        put_off(intent.id, reason=str(capped), now=now)
        alarms.raise_alarm("payment.capped", subject=str(intent.id), text=str(capped), now=now)
        raise
    except (PayloadDiffers, keys.KeyUnusable) as refused:
        log.exception("signing refused", intent=str(intent.id), reason=str(refused))
        put_off(intent.id, reason=str(refused), now=now, refused=True)
        raise


def _attempted(
    intent: Intent, expected: Expected, candidates: Sequence[Candidate], *, now: datetime
) -> SignedAttempt | None:
    """Agree, ask the network, sign, commit.

    Raises: ChainError, PayloadDiffers, KeyUnusable, OverCap.
    """
    previous = next((candidate for candidate in candidates if candidate.is_live), None)
    transfer = _agreed(intent, expected)
    gateway = families.recent(intent.network)
    _admit(gateway, transfer, expected, candidates, now=now)
    failpoint("quote.before_read")
    quote = gateway.quote(transfer, previous=previous)
    failpoint("quote.after_read")
    signed = _sealed(gateway, transfer, quote)
    attempt = _commit(intent, expected, candidates, quote, signed, now=now)
    if intent.last_error:  # only what was put off can have raised them
        for kind in ("payment.fees", "payment.capped"):
            alarms.clear(kind, subject=str(intent.id), now=now)
    return attempt


def _agreed(intent: Intent, expected: Expected) -> Transfer:
    """What is to be signed, after three sources have said the same: the approval, the order, the table of networks.

    Raises: PayloadDiffers.
    """
    ordered = (
        intent.purpose,
        intent.payout_id,
        intent.network,
        intent.asset,
        intent.to_address,
        intent.amount_units,
        intent.contract,
        intent.data,
    )
    approved = _approved(expected, intent)
    if approved != ordered or intent.wallet.network != intent.network:
        raise PayloadDiffers(f"approved {approved}, ordered {ordered}")
    return intent.transfer()


def _approved(expected: Expected, intent: Intent) -> tuple[object, ...]:
    """What the intent must say. Raises: PayloadDiffers."""
    try:
        match expected:
            case Payment():
                return _paid(expected)
            case anchoring.Anchor():
                return _anchored(expected, wallet=intent.wallet.address)
            case batching.Batch():
                network, asset, to_address, data = batching.payload(expected, of=intent.id)
                return (Purpose.BATCH, None, network, asset, to_address, 0, "", data)
            case batching.Allowance():
                to_address, data = batching.payload_of_allowance(expected)
                return (Purpose.ALLOWANCE, None, expected.network, expected.asset, to_address, 0, "", data)
    except (ValueError, batching.NoBatch) as wrong:
        raise PayloadDiffers(f"what was approved cannot be paid: {wrong}") from wrong


def _paid(payment: Payment) -> tuple[object, ...]:
    """What a payment's intent must say. Raises: ValueError."""
    to_address = addresses.normalise(payment.network, payment.to_address)
    contract = networks.token(payment.network, payment.asset).contract
    token_units = units.to_token_units(payment.network, payment.asset, payment.amount_units)
    what = (payment.payout_id, payment.network, payment.asset, to_address, token_units, contract)
    return (Purpose.PAYMENT, *what, "")


def _anchored(anchor: anchoring.Anchor, *, wallet: str) -> tuple[object, ...]:
    """What an anchor's intent must say."""
    return (Purpose.ANCHOR, None, anchor.network, "", wallet, 0, "", anchoring.data_of(anchor))


def _admit(
    gateway: Gateway, transfer: Transfer, expected: Expected, candidates: Sequence[Candidate], *, now: datetime
) -> None:
    """Have the caps allow the first bytes, and the chain show that new ones are needed: the database is not believed.

    Bytes that have a successor were proven absent when that was signed; so the last ones alone are looked for.

    Raises: OverCap, ChainError.
    """
    if not candidates:
        _within_caps(expected, now=now)
        return
    last = candidates[-1]
    if last.expiration_ms is not None:
        judgement = gateway.judge(transfer, [replace(last, is_live=True)], head=gateway.head(), scan={}, now=now)
        if last.txid not in judgement.expired:
            raise Retryable(f"{last.txid} is called expired, but the chain does not show that: {judgement.note}")


def _within_caps(expected: Expected, *, now: datetime) -> None:
    """Raises: OverCap."""
    match expected:
        case Payment():
            caps.check(expected, now=now)
        case batching.Batch():
            caps.check(*expected.payments, now=now)
        case anchoring.Anchor():
            caps.check_anchor(expected.network, now=now)
        case batching.Allowance():
            caps.of(expected.asset)  # it moves nothing; an asset off the list gets no allowance either


def _sealed(gateway: Gateway, transfer: Transfer, quote: Quote) -> Signed:
    """Sign, then decode the bytes again and compare everything that they say.

    Raises: PayloadDiffers, KeyUnusable.
    """
    digest = gateway.digest(transfer, quote)
    failpoint("signature.before_signing")
    signature = keys.sign_digest(transfer.network, address=transfer.wallet, digest=digest)
    failpoint("signature.after_signing")
    signed = gateway.attach(transfer, quote, signature)
    meant = Reading(transfer, quote.fees, quote.expiration_ms, quote.ref_mark, signed.txid)
    try:
        said = gateway.read(signed.raw)
    except Mismatch as wrong:
        raise PayloadDiffers(f"the signed bytes are not a payment: {wrong}") from wrong
    if said != meant:
        raise PayloadDiffers(f"meant {meant}, the bytes say {said}")
    return signed


def _commit(
    intent: Intent, expected: Expected, candidates: Sequence[Candidate], quote: Quote, signed: Signed, *, now: datetime
) -> SignedAttempt | None:
    """Keep the bytes, once; of two signers the unique indexes let one through.

    Raises: OverCap when another signer used up the cap meanwhile.
    """
    seen = [candidate.txid for candidate in candidates]
    try:
        with committing("signed"):
            locked = Intent.objects.select_for_update().get(pk=intent.pk)
            if not candidates:
                caps.take_turns()
                _within_caps(expected, now=now)
            if locked.state != IntentState.OPEN or [one.txid for one in locked.candidates()] != seen:
                return None
            locked.attempts.filter(state=AttemptState.LIVE).update(state=AttemptState.SUPERSEDED)
            attempt = SignedAttempt.objects.create(
                intent=locked,
                number=len(seen) + 1,
                txid=signed.txid,
                raw=signed.raw,
                fees=dict(quote.fees),
                ref_number=quote.ref_number,
                ref_hash=quote.ref_hash,
                expiration_ms=quote.expiration_ms,
                signed_at=now,
                attended=_attended(expected),
            )
            Intent.objects.filter(pk=locked.pk).update(
                bump_due=False, last_error="", next_send_at=now, next_watch_at=now
            )
    except IntegrityError as refused:
        if "attempt_" not in str(refused):
            raise
        return None
    return attempt


def _attended(expected: Expected) -> bool:
    """Whether persons have said yes to all of it."""
    match expected:
        case Payment():
            return expected.attended
        case batching.Batch():
            return all(payment.attended for payment in expected.payments)
    return False


def put_off(intent_id: UUID, *, reason: str, now: datetime, refused: bool = False) -> None:
    """Let others have their turn first: this intent is not to be signed now, and that is why."""
    told = (REFUSED if refused else "sign: ") + reason
    Intent.objects.filter(pk=intent_id).update(next_sign_at=now + TRY_AGAIN_AFTER, last_error=told[:ERROR_LENGTH])
