"""Screens of rules that two people change: lists whose forms only propose, and the page on which the second decides."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from payouts.merchants.otp import OtpRefused
from payouts.merchants.screens import ReadOnly
from payouts.withdrawals import amending, rule_sheet, sheet
from payouts.withdrawals.confirming import NO_CHALLENGE
from payouts.withdrawals.rule_models import Kind, RuleProposal

# fmt: off
REFUSALS: Mapping[type[Exception], int] = {
    OtpRefused:              400,
    amending.NotAllowed:     403,
    amending.SamePerson:     409,
    amending.DecidedAlready: 409,
    amending.RowMoved:       409,
    amending.CannotBe:       409,
}
# fmt: on
SHADES = {"waits": "warning", "confirmed": "success", "declined": ""}


class ProposedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Django's own forms, which here write nothing but a proposal."""

    kind: ClassVar[Kind]
    actions = None
    list_before_template = "payouts/desk/two_people.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may propose."""
        return bool(request.user.has_perm(amending.PROPOSE))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Whoever may propose."""
        return bool(request.user.has_perm(amending.PROPOSE))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Whoever may propose."""
        return bool(request.user.has_perm(amending.PROPOSE))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say above the list what waits for a second person."""
        shown = {"waiting": amending.undecided().filter(kind=self.kind).count()}
        answer: HttpResponse = super().changelist_view(request, shown | (extra_context or {}))
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **rest: Any
    ) -> HttpResponse:
        """With one button: each row is a proposal of its own."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().render_change_form(request, context, *args, **rest)
        return answer

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: Any) -> None:  # noqa: ARG002 - Django's signature
        """Propose the row as the form has it."""
        self._propose(request, amending.Change(self.kind, obj.pk, amending.values(obj), form.cleaned_data["reason"]))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Propose to take the row away."""
        self._propose(request, amending.Change(self.kind, obj.pk, None))

    def _propose(self, request: HttpRequest, change: amending.Change) -> None:
        try:
            proposal = amending.propose(change, by=_person(request), now=timezone.now())
        except amending.AmendRefused as refusal:
            messages.error(request, f"Nothing was proposed: {refusal}.")
        else:
            waits = "Nothing has changed yet: somebody else has to confirm it with a one-time code."
            messages.success(request, f"Proposed: {proposal}. {waits}")

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """Back to the list; what to say was said."""
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Back to the list."""
        return self.response_add(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """Back to the list."""
        return self.response_add(request, self.model())

    def log_addition(self, *args: Any, **kwargs: Any) -> None:  # the proposal is the log
        """Nothing was added."""

    def log_change(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was changed."""

    def log_deletions(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was deleted."""


class StateFilter(admin.SimpleListFilter):
    """Waiting or decided."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """Both."""
        return [("waits", "waits for a second person"), ("decided", "decided")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RuleProposal]) -> QuerySet[RuleProposal]:  # noqa: ARG002 - Django's signature
        """Narrow the list."""
        return queryset.filter(decision__isnull=self.value() == "waits") if self.value() else queryset


class ProposalAdmin(ReadOnly):
    """Every change of a rule that somebody proposed, with what became of it; the history of the rules."""

    list_display = ("when", "state", "what", "rule", "by", "decided_by")
    list_display_links = ("when", "what")
    list_filter = (StateFilter, "kind")
    list_select_related = ("by", "decision", "decision__by")
    ordering = ("-id",)
    sortable_by = ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 - Django's signature
    ) -> HttpResponse:
        """Show before and after; take the second person's code, or a no."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        proposal = self.get_object(request, object_id)
        if proposal is None:
            raise Http404("no such proposal")
        if request.method != "POST":
            return self._page(request, proposal, None)
        try:
            done = _decide(request, proposal)
        except tuple(REFUSALS) as refusal:
            return self._page(request, RuleProposal.objects.get(id=proposal.id), refusal)
        messages.success(request, f"{proposal}: {done}.")
        return HttpResponseRedirect(reverse("admin:payouts_ruleproposal_changelist"))

    def _page(self, request: HttpRequest, proposal: RuleProposal, refusal: Exception | None) -> HttpResponse:
        person, waits = _person(request), _state(proposal) == "waits"
        asks = waits and amending.may_confirm(person, proposal)
        context = self.admin_site.each_context(request) | {
            "title": str(proposal),
            "opts": self.opts,
            "proposal": proposal,
            "changes": rule_sheet.changes(proposal),
            "facts": _facts(proposal),
            "challenge": amending.show(proposal, person=person, now=timezone.now()) if asks else None,
            "may_decline": waits and amending.may_decline(person, proposal),
            "is_own": person.pk == proposal.by_id,
            "waits": waits,
            "refusal": refusal,
        }
        status = 200 if refusal is None else REFUSALS[type(refusal)]
        return TemplateResponse(request, "payouts/desk/proposal.html", context, status=status)

    @admin.display(description="Proposed at")
    def when(self, proposal: RuleProposal) -> str:
        """The moment."""
        return sheet.moment(proposal.at)

    @admin.display(description="State")
    def state(self, proposal: RuleProposal) -> str:
        """Whether it waits."""
        return _state(proposal)

    state.label = SHADES  # type: ignore[attr-defined]  # how unfold is told to show a coloured label

    @admin.display(description="Change")
    def what(self, proposal: RuleProposal) -> str:
        """Which table, and what with the row."""
        return str(proposal)

    @admin.display(description="Rule")
    def rule(self, proposal: RuleProposal) -> str:
        """The row in one line."""
        return rule_sheet.summary(proposal)

    @admin.display(description="Decided by")
    def decided_by(self, proposal: RuleProposal) -> str:
        """Who, and when."""
        return "–" if _state(proposal) == "waits" else f"{proposal.decision.by}, {sheet.moment(proposal.decision.at)}"


def _state(proposal: RuleProposal) -> str:
    decision = getattr(proposal, "decision", None)
    return str(decision.get_verdict_display()) if decision else "waits"


def _decide(request: HttpRequest, proposal: RuleProposal) -> str:
    person, now = _person(request), timezone.now()
    if request.POST.get("verdict") == "decline":
        amending.decline(proposal.id, person=person, now=now)
        return "declined, nothing has changed"
    try:
        challenge_id = UUID(request.POST.get("challenge", ""))
    except ValueError:
        challenge_id = NO_CHALLENGE
    code = request.POST.get("otp", "")
    amending.confirm(proposal.id, person=person, challenge_id=challenge_id, code=code, now=now)
    return "confirmed, in force now"


def _facts(proposal: RuleProposal) -> list[sheet.Row]:
    rows = [
        sheet.Row("Proposed by", str(proposal.by)),
        sheet.Row("Proposed at", sheet.moment(proposal.at)),
        sheet.Row("Why", proposal.reason or "–"),
    ]
    if _state(proposal) == "waits":
        return [*rows, sheet.Row("State", "waits for a second person", "alert")]
    decision = proposal.decision
    return [*rows, sheet.Row("Decided", f"{_state(proposal)} by {decision.by}, {sheet.moment(decision.at)}")]


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
