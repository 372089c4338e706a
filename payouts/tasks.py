"""The sweeps that beat and doorbells ring: each repeatable, each over rows, none with anything to lose (DESIGN §4)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task

from chain import addresses, incoming, networks, transfers
from chain.models import Intent, Purpose
from ledger import partitions, posting, seals
from payouts import anchors, doorbell, rights, rounds, surveying, turns
from payouts import gas as fees_paid
from payouts.api import dialects
from payouts.payments import addresses as deposit_addresses
from payouts.payments import deposits as booking
from payouts.payments import payment_sweeps
from payouts.rates import providers
from payouts.runs import making
from payouts.subaccounts import transfers as subaccount_transfers
from payouts.webhooks import delivery
from payouts.withdrawals import authority, payable, queries, rehearsal, runs, screening, steps, withdrawals
from payouts.withdrawals.models import Withdrawal

MOST_DEPOSITS = 2_000  # in one transaction
SWEPT = 20  # deposit addresses, of each of which every asset is read


@shared_task(name="payouts.tasks.screen")
def screen() -> int:
    """Look at every new withdrawal."""
    ids = queries.to_screen(limit=rounds.BATCH)
    said = screening.verdicts(ids, now=datetime.now(UTC))
    refusals = (steps.StepRefused,)
    return rounds.each(
        "screen", ids, lambda one, now: withdrawals.screen(one, verdict=said.get(one), now=now), refusals
    )


@shared_task(name="payouts.tasks.dispatch")
@turns.one_at_a_time
def dispatch() -> int:
    """Hand approved withdrawals to the chain, oldest first, as far as the lanes reach."""
    refusals = (steps.StepRefused, addresses.BadAddress, transfers.NoLane, transfers.AlreadyOrdered, transfers.OverCap)
    now = datetime.now(UTC)
    rows = queries.by_ids(rehearsal.passed(payable.ids(limit=rounds.BATCH, now=now), now=now))
    alike: rounds.Alike[Withdrawal] = rounds.Alike(lambda row: (row.network, row.asset), _dispatch_alike)
    return rounds.each("dispatch", rows, lambda row, now: withdrawals.dispatch(row.id, now=now), refusals, alike=alike)


def _dispatch_alike(rows: Sequence[Withdrawal], now: datetime) -> list[Withdrawal]:
    runs.dispatch(rows, now=now)
    return []


@shared_task(name="payouts.tasks.lanes")
def lanes() -> int:
    """Read what the lanes hold, and say which need money."""
    return rounds.sweep("lanes", lambda now: transfers.refresh_due(now=now, waited_for=queries.approved_on()))


@shared_task(name="payouts.tasks.sweep")
def sweep() -> int:
    """Bring what lies on deposit addresses into the hot wallets, and them the coin for that."""
    ordered = rounds.sweep("sweep", lambda now: transfers.sweep_due(now=now, limit=SWEPT))
    if ordered:
        doorbell.ring("sign")
    return ordered


@shared_task(name="payouts.tasks.sign")
@turns.one_at_a_time
def sign() -> int:
    """Sign what the recorded approvals cover; runs in the signer process alone."""

    def one(intent: Intent, now: datetime) -> object:
        try:
            expected = rights.expected(intent)
        except rights.REFUSALS as refusal:
            transfers.put_off(intent.id, reason=str(refusal), now=now, refused=True)
            raise
        return transfers.sign(intent.id, expected=expected, now=now)

    refusals = (
        *rights.REFUSALS,
        transfers.OverCap,
        transfers.PayloadDiffers,
        transfers.KeyUnusable,
    )
    rows = transfers.awaiting_signature(limit=rounds.BATCH, now=datetime.now(UTC))
    alike: rounds.Alike[Intent] = rounds.Alike(
        lambda intent: intent.purpose == Purpose.PAYMENT and not (intent.bump_due or intent.given_up), _sign_alike
    )
    done = rounds.each("sign", rows, one, refusals, alike=alike)
    if done:
        doorbell.ring("send")
    return done


def _sign_alike(intents: Sequence[Intent], now: datetime) -> list[Intent]:
    """Sign first bytes of payments together; who is left has a turn of his own."""
    payments = authority.those_authorised([one.payout_id for one in intents if one.payout_id])
    signed = transfers.sign_together(
        {one.pk: payments[one.payout_id] for one in intents if one.payout_id in payments}, now=now
    )
    return [intent for intent in intents if intent.pk not in signed]


@shared_task(name="payouts.tasks.send")
def send() -> int:
    """Send signed bytes, again and again until the chain decides."""
    return rounds.sweep("send", lambda now: transfers.send_due(now=now, limit=rounds.BATCH))


@shared_task(name="payouts.tasks.watch")
def watch() -> int:
    """Look for final facts about open payments."""
    decided = rounds.sweep("watch", lambda now: transfers.watch_due(now=now, limit=rounds.BATCH))
    if decided:
        doorbell.ring("settle")
    return decided


@shared_task(name="payouts.tasks.settle")
@turns.one_at_a_time
def settle() -> int:
    """Take the chain's verdicts over into withdrawals and the ledger."""
    verdicts = transfers.verdicts(limit=rounds.BATCH)
    refusals = (steps.StepRefused, transfers.NotToCollect, posting.LedgerRefused, Withdrawal.DoesNotExist)
    alike: rounds.Alike[transfers.Verdict] = rounds.Alike(lambda one: one.outcome, _settle_alike)
    return rounds.each("settle", verdicts, lambda one, now: withdrawals.settle(one, now=now), refusals, alike=alike)


def _settle_alike(verdicts: Sequence[transfers.Verdict], now: datetime) -> list[transfers.Verdict]:
    withdrawals.settle_together(verdicts, now=now)
    return []


@shared_task(name="payouts.tasks.follow")
@turns.one_at_a_time
def follow() -> int:
    """Read on at every network what comes in at deposit addresses."""
    found = transfers.Followed()

    def one(network: str, now: datetime) -> None:
        nonlocal found
        found += transfers.follow(network, ours=deposit_addresses.ours, now=now)

    done = rounds.each("follow", [row.name for row in networks.configured()], one, ())
    if found.news:
        doorbell.ring("deposits")
    if found.is_behind:
        doorbell.ring("follow")
    return done


@shared_task(name="payouts.tasks.deposits")
@turns.one_at_a_time
def deposits() -> int:
    """Book what is final, and move the payments that were seen, paid or have run out of time."""
    now = datetime.now(UTC)
    looked = payment_sweeps.look(now=now, limit=rounds.BATCH)
    alike: rounds.Alike[UUID] = rounds.Alike(lambda _one: "all", _book_alike)
    ids = incoming.to_collect(limit=MOST_DEPOSITS)
    refusals = (posting.LedgerRefused, incoming.NotToCollect)
    booked = rounds.each("deposits", ids, lambda one, now: booking.book(one, now=now), refusals, alike=alike)
    if looked or booked:
        doorbell.ring("webhooks")
    return booked


def _book_alike(ids: Sequence[UUID], now: datetime) -> list[UUID]:
    booking.book_together(ids, now=now)
    return []


@shared_task(name="payouts.tasks.make_runs")
@turns.one_at_a_time
def make_runs() -> int:
    """Make the next withdrawals of confirmed payout runs."""
    return rounds.sweep("make_runs", lambda now: making.go_on(now=now))


@shared_task(name="payouts.tasks.transfers")
def transfers_between() -> int:
    """Move money between merchants' main accounts and their sub-accounts."""
    ids = subaccount_transfers.to_do(limit=rounds.BATCH)
    return rounds.each("transfers", ids, lambda one, now: subaccount_transfers.do(one, now=now), refusals=())


@shared_task(name="payouts.tasks.webhooks")
def webhooks() -> int:
    """Deliver what the outbox holds."""
    return rounds.sweep("webhooks", lambda now: delivery.deliver_due(render=dialects.webhook_body, now=now))


@shared_task(name="payouts.tasks.seal")
def seal() -> int:
    """Seal the ledger's committed events into blocks, off the write path."""
    return rounds.sweep("seal", lambda now: seals.seal_due(now=now))


@shared_task(name="payouts.tasks.anchor")
def anchor() -> int:
    """Have the newest seal's hash made public, where a network is set for that."""
    return rounds.sweep("anchor", lambda now: anchors.sweep(now=now))


@shared_task(name="payouts.tasks.rates")
def rates() -> int:
    """Have the provider of rates say what assets are worth, where there is one."""
    return rounds.sweep("rates", lambda now: providers.renew(now=now))


@shared_task(name="payouts.tasks.gas")
def gas() -> int:
    """Book what our transactions have cost."""
    return rounds.sweep("gas", lambda now: fees_paid.book_due(now=now))


@shared_task(name="payouts.tasks.partition")
def partition() -> int:
    """Make the ledger's partitions of the months to come."""
    return rounds.sweep("partition", lambda now: len(partitions.make_ahead(now)))


@shared_task(name="payouts.tasks.survey")
def survey() -> int:
    """Raise what does not move by itself."""
    return rounds.sweep("survey", lambda now: surveying.survey(now=now))


@shared_task(name="payouts.tasks.reconcile")
def reconcile() -> int:
    """Compare the ledger with the wallets."""
    return rounds.sweep("reconcile", lambda now: surveying.reconcile(now=now))


@shared_task(name="payouts.tasks.prove", acks_late=False, soft_time_limit=3600, time_limit=3660)
def prove() -> int:
    """Prove the whole ledger; long, so that it is not handed out again while it runs."""
    return rounds.sweep("prove", lambda now: surveying.prove(now=now))
