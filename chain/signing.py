"""The signer's part: rebuild the payment, sign it, read it back, and commit the bytes before anybody sees them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError

from chain import agreeing, alarms, anchoring, batching, caps, families, keys, lanes, networks, pausing, sweeping
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


@dataclass(frozen=True, slots=True)
class Draft:
    """Signed bytes that nobody keeps yet, and what they were made from."""

    intent: Intent
    expected: agreeing.Expected
    candidates: Sequence[Candidate]  # signed before them
    quote: Quote
    signed: Signed

    def seen(self) -> tuple[str, list[str]]:
        """What there was when it was made: whether it was given up, its transactions."""
        return self.intent.given_up, [candidate.txid for candidate in self.candidates]

    def attempt(self, *, now: datetime) -> SignedAttempt:
        """The row that keeps them."""
        return SignedAttempt(
            intent=self.intent,
            number=len(self.candidates) + 1,
            txid=self.signed.txid,
            raw=self.signed.raw,
            fees=dict(self.quote.fees),
            ref_number=self.quote.ref_number,
            ref_hash=self.quote.ref_hash,
            expiration_ms=self.quote.expiration_ms,
            signed_at=now,
            attended=agreeing.attended(self.expected),
        )


def sign(intent_id: UUID, *, expected: agreeing.Expected, now: datetime) -> SignedAttempt | None:
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
    is_stopped = intent.wallet.paused or Intent.objects.filter(pausing.stopped(), pk=intent.pk).exists()
    if intent.batch_id or intent.state != IntentState.OPEN or is_stopped or (previous and not replaceable):
        return None
    if previous is None and not intent.given_up and not lanes.covers(intent):
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
    except (agreeing.PayloadDiffers, keys.KeyUnusable) as refused:
        log.exception("signing refused", intent=str(intent.id), reason=str(refused))
        put_off(intent.id, reason=str(refused), now=now, refused=True)
        raise


def sign_together(wanted: Mapping[UUID, agreeing.Expected], *, now: datetime) -> set[UUID]:
    """Sign the first bytes of many payments, with one reading of the network and one commit; which were signed.

    All that sign() asks of one is asked of each. Who does not pass is left out, without a word: sign() says why.

    Raises: NotTheSigner.
    """
    if settings.ROLE != "signer":
        raise keys.NotTheSigner(f"a {settings.ROLE} process signs nothing")
    rows = Intent.objects.select_related("wallet").filter(pk__in=wanted, state=IntentState.OPEN, wallet__paused=False)
    fresh = list(rows.filter(~pausing.stopped(), attempts=None, batch=None, given_up="").order_by("created_at", "id"))
    solvent = lanes.solvent({intent.wallet_id for intent in fresh})
    signed: set[UUID] = set()
    for network in sorted({intent.network for intent in fresh}):
        ours = [one for one in fresh if one.network == network and (one.wallet_id, one.contract) in solvent]
        drafts = _drafts(network, [(intent, wanted[intent.pk]) for intent in ours], now=now)
        made = _commit(drafts, now=now) if drafts else []
        signed |= {attempt.intent_id for attempt in made}
    for intent in fresh:
        if intent.pk in signed:
            _forget_trouble(intent, now=now)
    return signed


def _drafts(network: str, pairs: Sequence[tuple[Intent, agreeing.Expected]], *, now: datetime) -> list[Draft]:
    """Those that can be agreed, admitted, quoted and sealed."""
    gateway, tally = families.recent(network), caps.Tally(now=now)
    agreed = []
    for intent, expected in pairs:
        with suppress(agreeing.PayloadDiffers, caps.OverCap):
            transfer = agreeing.agreed(intent, expected)
            _within_caps(expected, tally)
            agreed.append((intent, expected, transfer))
    drafts = []
    with suppress(ChainError):
        gateway.quote_ahead([transfer for _, _, transfer in agreed])
    for intent, expected, transfer in agreed:
        with suppress(ChainError, agreeing.PayloadDiffers, keys.KeyUnusable):
            drafts.append(_drafted(gateway, intent, expected, [], transfer))
    return drafts


def _attempted(
    intent: Intent, expected: agreeing.Expected, candidates: Sequence[Candidate], *, now: datetime
) -> SignedAttempt | None:
    """Agree, ask the network, sign, commit.

    Raises: ChainError, PayloadDiffers, KeyUnusable, OverCap.
    """
    transfer = agreeing.agreed(intent, expected)
    gateway = families.recent(intent.network)
    _admit(gateway, transfer, expected, candidates, now=now)
    made = _commit([_drafted(gateway, intent, expected, candidates, transfer)], now=now)
    _forget_trouble(intent, now=now)
    return made[0] if made else None


def _drafted(
    gateway: Gateway, intent: Intent, expected: agreeing.Expected, candidates: Sequence[Candidate], transfer: Transfer
) -> Draft:
    """Ask the network what it takes, and sign.

    Raises: ChainError, PayloadDiffers, KeyUnusable.
    """
    previous = next((candidate for candidate in candidates if candidate.is_live), None)
    failpoint("quote.before_read")
    quote = gateway.quote(transfer, previous=previous)
    failpoint("quote.after_read")
    if intent.purpose == Purpose.SWEEP:
        sweeping.require_coin(intent, cost_units=gateway.cost_units(transfer, quote))
    return Draft(intent, expected, candidates, quote, _sealed(gateway, transfer, quote, number=intent.wallet.number))


def _forget_trouble(intent: Intent, *, now: datetime) -> None:
    if intent.last_error:  # only what was put off can have raised them
        for kind in ("payment.fees", "payment.capped"):
            alarms.clear(kind, subject=str(intent.id), now=now)


def _admit(
    gateway: Gateway, transfer: Transfer, expected: agreeing.Expected, candidates: Sequence[Candidate], *, now: datetime
) -> None:
    """Have the caps allow the first bytes, and the chain show that new ones are needed: the database is not believed.

    Bytes that have a successor were proven absent when that was signed; so the last ones alone are looked for.

    Raises: OverCap, ChainError.
    """
    if not candidates:
        _within_caps(expected, caps.Tally(now=now))
        return
    last = candidates[-1]
    if last.expiration_ms is not None:
        judgement = gateway.judge(transfer, [replace(last, is_live=True)], head=gateway.head(), scan={}, now=now)
        if last.txid not in judgement.expired:
            raise Retryable(f"{last.txid} is called expired, but the chain does not show that: {judgement.note}")


def _within_caps(expected: agreeing.Expected, tally: caps.Tally) -> None:
    """Raises: OverCap."""
    match expected:
        case Payment():
            tally.admit(expected)
        case batching.Batch():
            tally.admit(*expected.payments)
        case anchoring.Anchor():
            caps.check_anchor(expected.network, now=tally.now)
        case batching.Allowance():
            caps.of(expected.asset)  # it moves nothing; an asset off the list gets no allowance either
        case sweeping.TopUp():
            caps.check_top_up(expected.network, amount_units=expected.amount_units, now=tally.now)
        case sweeping.Sweep():
            pass  # ours to ours: what it costs in coin, the caps of top-ups limit


def _sealed(gateway: Gateway, transfer: Transfer, quote: Quote, *, number: int | None) -> Signed:
    """Sign, then decode the bytes again and compare everything that they say.

    Raises: PayloadDiffers, KeyUnusable.
    """
    digest = gateway.digest(transfer, quote)
    failpoint("signature.before_signing")
    signature = keys.sign_digest(transfer.network, address=transfer.wallet, digest=digest, number=number)
    failpoint("signature.after_signing")
    signed = gateway.attach(transfer, quote, signature)
    meant = Reading(transfer, quote.fees, quote.expiration_ms, quote.ref_mark, signed.txid)
    try:
        said = gateway.read(signed.raw)
    except Mismatch as wrong:
        raise agreeing.PayloadDiffers(f"the signed bytes are not a payment: {wrong}") from wrong
    if said != meant:
        raise agreeing.PayloadDiffers(f"meant {meant}, the bytes say {said}")
    return signed


def _commit(drafts: Sequence[Draft], *, now: datetime) -> list[SignedAttempt]:
    """Keep the bytes, once, all in one transaction; of two signers the unique indexes let one through.

    Left out is what another signer was quicker with, and of several what the caps do not allow any more.

    Raises: OverCap when another signer used up the cap for a single one.
    """
    try:
        with committing("signed"):
            rows = Intent.objects.select_for_update().filter(pk__in=[draft.intent.pk for draft in drafts])
            known = _known({row.pk: row for row in rows.order_by("pk")})
            kept = [draft for draft in _admitted(drafts, now=now) if known.get(draft.intent.pk) == draft.seen()]
            intents = [draft.intent.pk for draft in kept]
            live = SignedAttempt.objects.filter(intent__in=intents, state=AttemptState.LIVE)
            live.update(state=AttemptState.SUPERSEDED)
            attempts = SignedAttempt.objects.bulk_create(draft.attempt(now=now) for draft in kept)
            Intent.objects.filter(pk__in=intents).update(
                bump_due=False, last_error="", next_send_at=now, next_watch_at=now
            )
    except IntegrityError as refused:
        if "attempt_" not in str(refused):
            raise
        return [] if len(drafts) == 1 else [made for draft in drafts for made in _commit([draft], now=now)]
    return attempts


def _admitted(drafts: Sequence[Draft], *, now: datetime) -> list[Draft]:
    """Those that the caps allow, counted while no other signer counts. Raises: OverCap, for a single one."""
    if any(not draft.candidates for draft in drafts):
        caps.take_turns()
    tally = caps.Tally(now=now)
    admitted = []
    for draft in drafts:
        try:
            if not draft.candidates:
                _within_caps(draft.expected, tally)
        except caps.OverCap:
            if len(drafts) == 1:
                raise
        else:
            admitted.append(draft)
    return admitted


def _known(locked: Mapping[UUID, Intent]) -> dict[UUID, tuple[str, list[str]]]:
    """Who has given up the open ones of these, and the transactions that they have by now, as they were signed."""
    known: dict[UUID, tuple[str, list[str]]]
    known = {row.pk: (row.given_up, []) for row in locked.values() if row.state == IntentState.OPEN}
    attempts = SignedAttempt.objects.filter(intent__in=known).order_by("number")
    for intent, txid in attempts.values_list("intent_id", "txid"):
        known[intent][1].append(txid)
    return known


def put_off(intent_id: UUID, *, reason: str, now: datetime, refused: bool = False) -> None:
    """Let others have their turn first: this intent is not to be signed now, and that is why."""
    told = (REFUSED if refused else "sign: ") + reason
    Intent.objects.filter(pk=intent_id).update(next_sign_at=now + TRY_AGAIN_AFTER, last_error=told[:ERROR_LENGTH])
