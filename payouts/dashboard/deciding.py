"""The company's own yes or no to what its users ask for, where policy leaves it to the company."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from chain import addresses
from payouts.dashboard import confirming, guard, history, withdrawals
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.withdrawals import payload, steps
from payouts.withdrawals import withdrawals as verbs
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal


class Choice(NamedTuple):
    """A way to decide."""

    title: str
    button: str
    done: str
    verb: Callable[..., Withdrawal]


# fmt: off
CHOICES: Mapping[str, Choice] = {
    "approve": Choice("Approve the withdrawal", "Approve", "Approved.",                     verbs.merchant_approve),
    "reject":  Choice("Reject the withdrawal",  "Reject",  "Rejected: the money is back.",  verbs.merchant_reject),
}
REFUSALS: Mapping[type[Exception], str] = {
    steps.StepRefused:      "It has moved on meanwhile.",
    verbs.UnderReview:      "Our checks stopped it: our people look at it now.",
    addresses.BadAddress:   "This address cannot be paid.",
}
# fmt: on


@guard.page("pay", methods=("GET", "POST"))
def page(visit: Visit, public_id: str, choice: str) -> HttpResponse:
    """Show what is decided about, take a code, decide."""
    row = withdrawals.found(visit, public_id)
    if choice not in CHOICES:
        raise Http404
    there = HttpResponseRedirect(reverse("dashboard:withdrawal", args=[public_id]))
    if row.approval != Approval.MERCHANT or row.status != Status.PENDING:
        messages.error(visit.request, "This is not yours to decide, or has been decided.")
        return there
    try:
        return confirming.page(visit, _deed(visit, row, CHOICES[choice], there), forms.Form())
    except tuple(REFUSALS) as refusal:
        messages.error(visit.request, REFUSALS[type(refusal)])
        return there


def _deed(visit: Visit, row: Withdrawal, choice: Choice, there: HttpResponse) -> Deed:
    reason = "" if choice.verb is verbs.merchant_approve else "rejected by the merchant"
    by = By(visit.person.get_username(), visit.person, reason)

    def decide(now: datetime) -> Withdrawal:
        return choice.verb(row.id, by=by, now=now)

    def answer(_: Any) -> HttpResponse:
        messages.success(visit.request, choice.done)
        return there

    return Deed(
        what=choice.button.lower(),
        title=choice.title,
        button=choice.button,
        rows=[*history.paid(row), *history.around(row)],
        said=payload.payload_hash(row).hex(),
        do=decide,
        answer=answer,
        alone=True,  # screening is asked over the network, and no transaction is open meanwhile
    )
