"""Named places at which a process can be made to die, so that tests can show what its death there does.

Armed by the environment, and in the local default alone: `SLUICE_FAILPOINT=signed.before_commit:2` ends the process, as
SIGKILL would, when it comes to that place for the second time; `SLUICE_FAILPOINTS_SEEN` names a file to which every
place is appended that a process comes to. Without them a failpoint is one comparison with None.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

DIE_AT, SEEN = "SLUICE_FAILPOINT", "SLUICE_FAILPOINTS_SEEN"
EXIT_STATUS = 86  # of a process that died where it was told to

# fmt: off
COMMITS: Mapping[str, str] = {  # each is two failpoints, NAME.before_commit and NAME.after_commit
    "create":        "money frozen, withdrawal PENDING; part of `answer` where a program asked for it",
    "answer":        "a program's idempotency key with the answer that a repeat gets",
    "screen":        "into the approvers' queue, or APPROVED where policy asks nobody",
    "confirm":       "a one-time code used up",
    "approve":       "level 1, level 2, or level 1 with policy's own yes",
    "merchant_yes":  "the merchant's own yes",
    "merchant_no":   "the merchant's own no: refunded, REJECTED",
    "reject":        "refunded, REJECTED",
    "cancel":        "refunded, CANCELLED",
    "dispatch":      "intent with its sequence number, PROCESSING",
    "give_up":       "nothing will ever be paid with that number",
    "sweep_lease":   "the claim of deposit addresses to be looked at",
    "top_up_order":  "coin for a deposit address, an intent of a hot wallet's",
    "sweep_order":   "a deposit address's money to a hot wallet, an intent of its own",
    "signed":        "an attempt's bytes, the first, a replacement, or those after a proven expiry",
    "send_lease":    "the sender's claim",
    "watch_lease":   "the watcher's claim",
    "look":          "what was seen, and whether the fees are to be raised",
    "expiry":        "bytes proven absent until past their expiration",
    "verdict":       "PAID or DEAD with its proof",
    "settle":        "verdict collected; settled and COMPLETED, or refunded and FAILED",
    "deposit":       "what came in, in balances and payments",
    "payment_look":  "payments in that were seen, taken back or have run out of time",
    "follow_begin":  "a network that nobody has followed yet",
    "follow":        "blocks that were read, what came in there, and what is confirmed by them",
    "follow_back":   "blocks that a reorganisation took back, and what came in there",
}
PLACES: Mapping[str, str] = {
    "short.before_call":         "nothing of a new withdrawal is written",
    "short.after_call":          "a new withdrawal and its key in one statement, which nobody has been told of",
    "dispatch.before_order":     "PROCESSING, without its intent yet",
    "quote.before_read":         "fees and reference block are asked for",
    "quote.after_read":          "fees and reference block are known",
    "signature.before_signing":  "the digest is built",
    "signature.after_signing":   "signed bytes that nothing remembers",
    "sign.after_put_off":        "the network could not be read",
    "broadcast.before_send":     "committed bytes that no node has",
    "broadcast.after_send":      "sent, and no record of it",
    "broadcast.after_record":    "recorded, the next sending not yet planned",
    "broadcast.after_plan":      "the next sending planned",
    "judge.before_read":         "the chain is asked",
    "judge.after_read":          "judged, nothing written",
    "watch.after_put_off":       "the network could not be read",
    "settle.before_collect":     "settled or refunded, the verdict not yet collected",
    "deposit.before_collect":    "booked, the chain's row not yet marked",
    "follow.after_read":         "blocks are read and nowhere written down",
    "ring.before_publish":       "the next sweep's doorbell is not rung",
    "ring.after_publish":        "the next sweep's doorbell is rung",
}
# fmt: on
POINTS = frozenset(PLACES) | {f"{name}.{side}_commit" for name in COMMITS for side in ("before", "after")}


class UnknownPoint(ValueError):
    """No failpoint has this name."""


@dataclass(slots=True)
class Armed:
    """What this process does at its failpoints."""

    die_at: str
    hits_left: int
    seen: Path | None

    def come_to(self, name: str) -> None:
        """Write it down, then die if this is the place and the time."""
        if self.seen:
            with self.seen.open("a") as file:
                file.write(f"{name}\n")
        if name == self.die_at:
            self.hits_left -= 1
            if self.hits_left == 0:
                os._exit(EXIT_STATUS)


def armed(environ: Mapping[str, str]) -> Callable[[str], None] | None:
    """What the environment asks for; None, whatever it asks for, outside the local default.

    Raises: UnknownPoint.
    """
    wanted, seen = environ.get(DIE_AT, ""), environ.get(SEEN)
    if environ.get("SLUICE_ENV", "local") != "local" or not (wanted or seen):
        return None
    name, _, hit = wanted.partition(":")
    if name and name not in POINTS:
        raise UnknownPoint(f"{DIE_AT} names no failpoint: {name}")
    return Armed(name, int(hit or 1), Path(seen) if seen else None).come_to


_come_to = armed(os.environ)


def arm(environ: Mapping[str, str]) -> None:
    """Arm this process anew: for processes that are forked from a warm one.

    Raises: UnknownPoint.
    """
    global _come_to  # noqa: PLW0603 - one per process, as its environment is
    _come_to = armed(environ)


def failpoint(name: str) -> None:
    """Nothing, unless this process has been armed."""
    if _come_to is not None:
        _come_to(name)


@contextmanager
def committing(name: str, *, durable: bool = True) -> Iterator[None]:
    """Run the block as one transaction with a failpoint on either side of its commit."""
    with transaction.atomic(durable=durable):
        yield
        failpoint(f"{name}.before_commit")
    failpoint(f"{name}.after_commit")
