"""THE state table: which verb leads from where to where, what it posts and whom it tells.

The verbs, the admin's buttons, the README's diagram and a test of every verb × status cell are driven by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from payouts.withdrawals.models import Status as S


@dataclass(frozen=True, slots=True)
class Step:
    """One verb: `posts` names a policy in `postings`, `tells` a webhook event, `rings` the next sweep."""

    verb: str
    source: tuple[S, ...]
    target: S
    posts: str | None
    tells: str | None
    rings: str | None
    who: str


class StepRefused(Exception):
    """The withdrawal is not where this verb starts."""

    def __init__(self, verb: str, status: str) -> None:
        super().__init__(f"cannot {verb.replace('_', ' ')} a withdrawal that is {status}")
        self.verb = verb
        self.status = status


def table(*steps: Step) -> Mapping[str, Step]:
    """The steps by verb."""
    return {step.verb: step for step in steps}


WAITING = (S.PENDING, S.PENDING_REVIEW, S.LEVEL1_APPROVED)

# fmt: off
STEPS = table(
    #    verb                from                               to                 posts       tells                    rings       who
    Step("create",           (),                                S.PENDING,         "frozen",   "withdrawal.created",    "screen",   "API, dashboard"),
    Step("flag",             (S.PENDING,),                      S.PENDING_REVIEW,  None,       "withdrawal.review",     None,       "screening"),
    Step("auto_approve",     (S.PENDING, S.LEVEL1_APPROVED),    S.APPROVED,        None,       "withdrawal.approved",   "dispatch", "policy"),
    Step("merchant_approve", (S.PENDING,),                      S.APPROVED,        None,       "withdrawal.approved",   "dispatch", "merchant"),
    Step("approve_l1",       (S.PENDING, S.PENDING_REVIEW),     S.LEVEL1_APPROVED, None,       None,                    None,       "level-1 approver"),
    Step("approve_l2",       (S.LEVEL1_APPROVED,),              S.APPROVED,        None,       "withdrawal.approved",   "dispatch", "level-2 approver"),
    Step("dispatch",         (S.APPROVED,),                     S.PROCESSING,      None,       "withdrawal.processing", "sign",     "worker"),
    Step("complete",         (S.PROCESSING,),                   S.COMPLETED,       "settled",  "withdrawal.completed",  "webhooks", "watcher"),
    Step("fail",             (S.PROCESSING,),                   S.FAILED,          "refunded", "withdrawal.failed",     "webhooks", "watcher"),
    Step("reject",           WAITING,                           S.REJECTED,        "refunded", "withdrawal.rejected",   "webhooks", "approver, merchant, screening"),
    Step("cancel",           (*WAITING, S.APPROVED),            S.CANCELLED,       "refunded", "withdrawal.cancelled",  "webhooks", "merchant"),
)
# fmt: on

EVENTS = tuple(step.tells for step in STEPS.values() if step.tells)
WAITS_FOR_MERCHANT = "withdrawal.waits_for_merchant"  # told on top of "created" where policy asks the merchant
FINAL = (S.COMPLETED, S.FAILED, S.CANCELLED, S.REJECTED)


def allowed(verb: str, status: str) -> bool:
    """Whether the table has this verb start from this status."""
    return status in STEPS[verb].source
