"""The rule that pays twice, for a worker that is to show that the enumeration notices it.

The database's own guards refuse to forget signed bytes or to give a payment another sequence number, so the rule goes
past them, as programs do that sign in memory and send.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chain import keys, sending
from chain.gateway import Gateway
from chain.models import BroadcastAttempt, SignedAttempt


def plant() -> None:
    """From now on this process takes an answer that is no "accepted" for a failure, and sends a new transaction."""
    honest = sending._send  # noqa: SLF001 - the rule that is broken here

    def naive(gateway: Gateway, attempts: Sequence[SignedAttempt], *, now: datetime) -> int:
        sent = honest(gateway, attempts, now=now)
        for attempt in attempts:
            if not BroadcastAttempt.objects.filter(attempt=attempt, accepted=True).exists():
                _pay_again(gateway, attempt, now=now)
        return sent

    sending._send = naive  # noqa: SLF001 - the rule that is broken here


def _pay_again(gateway: Gateway, attempt: SignedAttempt, *, now: datetime) -> None:
    """The same payment with the next nonce."""
    before = attempt.intent.transfer()
    seq = gateway.next_nonce(before.wallet) or int(now.timestamp() * 1000)
    transfer = replace(before, seq=seq)
    quote = gateway.quote(transfer, previous=None)
    digest = gateway.digest(transfer, quote)
    signature = keys.sign_digest(transfer.network, address=transfer.wallet, digest=digest)
    gateway.send([gateway.attach(transfer, quote, signature).raw])
