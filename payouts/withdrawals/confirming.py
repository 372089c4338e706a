"""The pages that the two approval buttons lead to: the payload once more, a code, one call of the core."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from chain.addresses import BadAddress
from payouts.merchants.otp import OtpRefused
from payouts.withdrawals import decisions, sheet, steps
from payouts.withdrawals.advance import SameApprover
from payouts.withdrawals.models import Status, Withdrawal

if TYPE_CHECKING:
    from payouts.withdrawals.admin import WithdrawalAdmin

NO_CHALLENGE = UUID(int=0)  # nobody's: the core refuses it like any other that is not there

# fmt: off
REFUSALS: Mapping[type[Exception], int] = {
    OtpRefused:               400,
    decisions.ReasonMissing:  400,
    decisions.NotAnApprover:  403,
    SameApprover:             409,
    steps.StepRefused:        409,
    BadAddress:               422,
}
# fmt: on


def page(admin: "WithdrawalAdmin", request: HttpRequest, withdrawal_id: UUID, *, action: str) -> HttpResponse:
    """Ask for the code that confirms `action` (approve or reject), or take it."""
    withdrawal = _found(withdrawal_id)
    if not admin.has_view_permission(request, withdrawal):
        raise PermissionDenied
    if request.method == "POST":
        return _taken(admin, request, withdrawal, action)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    refusal = _hindrance(request, withdrawal, action)
    return _asked(admin, request, withdrawal, action, refusal)


def verb_of(withdrawal: Withdrawal, action: str) -> str:
    """The state table's verb behind a button."""
    if action == "reject":
        return "reject"
    return "approve_l2" if withdrawal.status == Status.LEVEL1_APPROVED else "approve_l1"


def _taken(admin: "WithdrawalAdmin", request: HttpRequest, withdrawal: Withdrawal, action: str) -> HttpResponse:
    try:
        decided = _decide(request, withdrawal, action)
    except tuple(REFUSALS) as refusal:
        return _asked(admin, request, _found(withdrawal.id), action, refusal)
    done = "Rejected" if action == "reject" else "Approved"
    messages.success(request, f"{done}: {sheet.summary(decided)}. It is {decided.status} now.")
    return HttpResponseRedirect(reverse("admin:payouts_withdrawal_changelist"))


def _decide(request: HttpRequest, withdrawal: Withdrawal, action: str) -> Withdrawal:
    person, code, challenge_id = _person(request), request.POST.get("otp", ""), _challenge_id(request)
    now = timezone.now()
    if action == "reject":
        return decisions.reject(
            withdrawal.id,
            person=person,
            challenge_id=challenge_id,
            code=code,
            reason=request.POST.get("reason", ""),
            now=now,
        )
    level = int(verb_of(withdrawal, action)[-1])
    return decisions.approve(withdrawal.id, level=level, person=person, challenge_id=challenge_id, code=code, now=now)


def _challenge_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("challenge", ""))
    except ValueError:
        return NO_CHALLENGE


def _hindrance(request: HttpRequest, withdrawal: Withdrawal, action: str) -> Exception | None:
    """Why this person will be asked for no code.

    Raises: PermissionDenied for somebody who is no approver of this level.
    """
    verb = verb_of(withdrawal, action)
    if decisions.may(_person(request), verb, withdrawal):
        return None
    if not steps.allowed(verb, withdrawal.status):
        return steps.StepRefused(verb, withdrawal.status)
    if verb != "reject" and _person(request).has_perm(decisions.PERMISSIONS[int(verb[-1])]):
        return SameApprover("maker, level 1 and level 2 must be three different people")
    raise PermissionDenied


def _asked(
    admin: "WithdrawalAdmin",
    request: HttpRequest,
    withdrawal: Withdrawal,
    action: str,
    refusal: Exception | None,
) -> HttpResponse:
    verb = verb_of(withdrawal, action)
    asks = decisions.may(_person(request), verb, withdrawal)
    title = "Reject" if action == "reject" else f"Approve, level {verb[-1]}"
    context = admin.admin_site.each_context(request) | {
        "title": title,
        "summary": sheet.summary(withdrawal),
        "opts": admin.opts,
        "withdrawal": withdrawal,
        "action": action,
        "bound": sheet.bound(withdrawal),
        "around": sheet.around(withdrawal, public_id=admin.public_id(withdrawal)),
        "challenge": decisions.show(withdrawal, verb, person=_person(request), now=timezone.now()) if asks else None,
        "refusal": refusal,
        "reason": request.POST.get("reason", ""),
    }
    status = 200 if refusal is None else REFUSALS[type(refusal)]
    return TemplateResponse(request, "payouts/desk/confirm.html", context, status=status)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _found(withdrawal_id: UUID) -> Withdrawal:
    rows = Withdrawal.objects.select_related("merchant", "maker", "level1_by", "level2_by")
    withdrawal = rows.filter(id=withdrawal_id).first()
    if withdrawal is None:
        raise Http404("no such withdrawal")
    return withdrawal
