"""THE state table of payments in: which verb leads from where to where.

Money that arrived is always credited, whatever the payment's status; the status says what it means for the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from payouts.payments.payment_models import OPEN
from payouts.payments.payment_models import Status as S

EVENT = "payment_status_update"


@dataclass(frozen=True, slots=True)
class Step:
    """One verb; every step but the first is told by a webhook."""

    verb: str
    source: tuple[S, ...]
    target: S
    when: str


class StepRefused(Exception):
    """The payment is not where this verb starts."""

    def __init__(self, verb: str, status: str) -> None:
        super().__init__(f"cannot {verb.replace('_', ' ')} a payment that is {status}")
        self.verb = verb
        self.status = status


# fmt: off
STEPS: Mapping[str, Step] = {step.verb: step for step in (
    #    verb          from                                        to                when
    Step("create",     (),                                         S.WAITING,        "the merchant asks for it"),
    Step("see",        (S.WAITING,),                               S.CONFIRMING,     "in a block, not final yet"),
    Step("forget",     (S.CONFIRMING,),                            S.WAITING,        "a reorganisation took it back"),
    Step("part",       OPEN,                                       S.PARTIALLY_PAID, "final, in time, too little"),
    Step("finish",     OPEN,                                       S.FINISHED,       "final, in time, what is due"),
    Step("overpay",    (*OPEN, S.FINISHED, S.OVERPAID),            S.OVERPAID,       "more than is due, or again"),
    Step("expire",     (S.WAITING,),                               S.EXPIRED,        "nothing came in time"),
    Step("fall_short", (S.PARTIALLY_PAID,),                        S.UNDERPAID,      "too little came in time"),
    Step("late",       (*OPEN, S.EXPIRED, S.UNDERPAID, S.PAID_LATE), S.PAID_LATE,    "in a block after the time"),
)}
# fmt: on
ENDED = tuple(status for status in S if status not in OPEN)


def taken(verb: str, status: str) -> S:
    """Where the verb leads from this status.

    Raises: StepRefused.
    """
    step = STEPS[verb]
    if status not in step.source and (step.source or status):
        raise StepRefused(verb, status)
    return step.target
