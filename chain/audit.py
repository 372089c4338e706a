"""Check the proofs of paid payments again: by themselves, against the order, and against a node of one's choice."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from chain import addresses, batching, families, networks, proofs, units
from chain.gateway import Candidate, Outcome
from chain.models import Intent, IntentState
from chain.ordering import Payment


class Auditor:
    """One network through the nodes given, or those of this deployment; nothing is written."""

    def __init__(self, network: str, *, urls: Sequence[str] = ()) -> None:
        """Read where the chain ends. Raises: UnknownNetwork, ChainError: no such chain there."""
        row = networks.network(network)
        build = families.FAMILIES[row.family]
        self._gateway = build(network, list(urls) or row.endpoints, timeout_s=settings.RPC_TIMEOUT_S)
        self._head = self._gateway.head()

    def problems(self, wanted: Payment, *, now: datetime) -> list[str]:
        """What does not hold of a completed payment; empty when all of it does.

        Raises: ChainError when the node could not be asked.
        """
        intent = Intent.objects.select_related("wallet", "batch__wallet").filter(payout_id=wanted.payout_id).first()
        if intent is None or intent.state != IntentState.PAID:
            return ["there is no payment with a proof"]
        if _ordered(intent) != _wanted(wanted):
            return [f"ordered was {_ordered(intent)}, completed is {_wanted(wanted)}"]
        if intent.batch is not None:
            return self._of_batch(intent, intent.batch, now=now)
        transfer = intent.transfer()
        found = proofs.problems(transfer, intent.proof, gateway=self._gateway)
        if found:
            return found
        landed = candidate(intent)
        read = self._gateway.judge(transfer, [landed], head=self._head, scan={}, now=now)
        if read.outcome is not Outcome.PAID:
            return [f"the node does not show it paid: {read.note or read.outcome}"]
        return proofs.differences(intent.proof, read.proof)

    def _of_batch(self, intent: Intent, batch: Intent, *, now: datetime) -> list[str]:
        """A batch's payment: its batch's proof is checked, and that the node shows this very line as made."""
        transfer = batch.transfer()
        found = proofs.problems(transfer, batch.proof, gateway=self._gateway)
        if found:
            return found
        read = self._gateway.judge(transfer, [candidate(batch)], head=self._head, scan={}, now=now)
        if read.outcome is not Outcome.PAID:
            return [f"the node does not show its batch paid: {read.note or read.outcome}"]
        line = batching.line(batch, intent)
        if line is None or not read.proof["made"][line]:
            return ["the batch does not pay it"]
        return proofs.differences(batch.proof, read.proof)


def candidate(intent: Intent) -> Candidate:
    """The proof's transaction, whatever the rows say of attempts."""
    first = intent.proof["chain"]["first"]
    return Candidate(
        number=1,
        txid=intent.proof["txid"],
        fees={},
        ref_number=first["number"],
        ref_hash=first["hash"],
        expiration_ms=None,
        is_live=True,
        signed_at=intent.created_at,
    )


def _ordered(intent: Intent) -> tuple[str, str, str, int]:
    return intent.network, intent.contract, intent.to_address, intent.amount_units


def _wanted(payment: Payment) -> tuple[str, str, str, int]:
    return (
        payment.network,
        networks.token(payment.network, payment.asset).contract,
        addresses.normalise(payment.network, payment.to_address),
        units.to_token_units(payment.network, payment.asset, payment.amount_units),
    )
