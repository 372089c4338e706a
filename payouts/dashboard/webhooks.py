"""Where the company's programs are told: URLs, the secret that signs, what was sent and what came back."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from payouts import doorbell
from payouts.api import ids
from payouts.api.public import wire as public
from payouts.api.tenant import wire as tenant
from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.webhooks import endpoints, outbox, queries
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals import steps
from payouts.withdrawals.sheet import Row

PAGE = 25


class Kind(NamedTuple):
    """An API's webhooks: what there is to tell, and whether one URL is all it tells."""

    title: str
    events: tuple[str, ...]
    is_single: bool


# fmt: off
KINDS: Mapping[str, Kind] = {
    "dashboard": Kind("Payouts made here", tuple(dict.fromkeys(steps.EVENTS)), is_single=False),
    "merchant":  Kind("Merchant API",      tuple(dict.fromkeys(steps.EVENTS)), is_single=False),
    "public":    Kind("Public API",        tuple(public.EVENTS),               is_single=True),
    "tenant":    Kind("Tenant API",        tuple(tenant.EVENTS),               is_single=True),
}
# fmt: on


class UrlForm(forms.Form):
    """A URL and what it is told."""

    api = forms.ChoiceField(label="About", choices=[(api, kind.title) for api, kind in KINDS.items()])
    url = forms.CharField(
        label="URL",
        max_length=endpoints.MAX_URL,
        help_text="https, reachable from the internet.",
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(event, event) for event in sorted({*steps.EVENTS})],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen: all of them. The public and the tenant API's one URL is always told all of its own.",
    )

    def clean_url(self) -> str:
        """Refuse what webhooks may not be sent to."""
        try:
            return endpoints.check_url(self.cleaned_data["url"])
        except endpoints.BadUrl as error:
            raise forms.ValidationError(str(error)) from error


@guard.page("view")
def listed(visit: Visit) -> HttpResponse:
    """Show the URLs of each API."""
    groups = [(api, kind.title, list(queries.endpoints(visit.merchant, api=api))) for api, kind in KINDS.items()]
    return rendering.page(visit, "webhooks.html", {"title": "Webhooks", "groups": groups})


@guard.page("administer", methods=("GET", "POST"))
def new(visit: Visit) -> HttpResponse:
    """Register a URL; of an API that tells one alone it takes the other's place."""
    form = UrlForm(visit.request.POST or None)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        api, url = form.cleaned_data["api"], form.cleaned_data["url"]
        kind = KINDS[api]
        events = [*kind.events] if kind.is_single else sorted(form.cleaned_data["events"] or kind.events)
        register = endpoints.only if kind.is_single else endpoints.register
        deed = Deed(
            what="webhook",
            title="Register the URL",
            button="Register it",
            rows=[Row("About", kind.title), Row("URL", url, "whole"), *(Row("Told", event) for event in events)],
            said=[api, url, events],
            do=lambda now: register(visit.merchant, api=api, url=url, events=events, now=now),
            answer=lambda made: _registered(visit, made),
            warning="It takes the place of the URL before." if kind.is_single else "",
        )
        try:
            return confirming.page(visit, deed, form)
        except endpoints.TooMany:
            form.add_error(None, f"There are {endpoints.MOST_ENDPOINTS} URLs already.")
    return rendering.page(visit, "form.html", {"title": "New webhook URL", "form": form, "button": "Continue"})


@guard.page("administer", methods=("GET", "POST"))
def remove(visit: Visit, endpoint_id: UUID) -> HttpResponse:
    """Take a URL away."""
    endpoint = _found(visit, endpoint_id)
    deed = Deed(
        what="webhook-remove",
        title="Remove the URL",
        button="Remove it",
        rows=[Row("URL", endpoint.url, "whole"), Row("About", KINDS[endpoint.api].title)],
        said=[str(endpoint.id)],
        do=lambda _: endpoints.remove(endpoint),
        answer=lambda _: _back(visit, "The URL is told nothing any more."),
        warning="What still waits to be sent there is given up.",
    )
    return confirming.page(visit, deed, forms.Form())


@guard.page("administer", methods=("GET", "POST"))
def rotate(visit: Visit, api: str) -> HttpResponse:
    """Make a new signing secret and show it, once; for a day the old one signs beside it."""
    if api not in KINDS:
        raise Http404

    def answer(secret: str) -> HttpResponse:
        made = {"texts": {"Webhook secret": secret}}
        context = {"title": "Your new webhook secret", "made": made, "back": reverse("dashboard:webhooks")}
        return rendering.page(visit, "secret.html", context)

    deed = Deed(
        what="webhook-rotate",
        title="New webhook secret",
        button="Make it",
        rows=[Row("For", KINDS[api].title)],
        said=[api],
        do=lambda now: endpoints.rotate_secret(visit.merchant, api=api, now=now),
        answer=answer,
        warning="For a day messages carry the old secret's signature beside the new one's.",
    )
    return confirming.page(visit, deed, forms.Form())


@guard.page("view")
def log(visit: Visit, endpoint_id: UUID) -> HttpResponse:
    """What was or is to be told to one URL, with every attempt."""
    endpoint = _found(visit, endpoint_id)
    before = ids.parse_uuid(visit.request.GET.get("before", ""))
    rows = queries.messages(endpoint)
    found = list((rows.filter(id__lt=before) if before else rows)[: PAGE + 1])
    older = str(found[PAGE - 1].id) if len(found) > PAGE else ""
    context = {"title": "Webhook log", "endpoint": endpoint, "sent": found[:PAGE], "older": older}
    return rendering.page(visit, "webhook.html", context)


@guard.page("administer", methods=("POST",))
def test(visit: Visit, endpoint_id: UUID) -> HttpResponse:
    """Send a test event there."""
    endpoint = _found(visit, endpoint_id)
    if not endpoint.is_active:
        messages.error(visit.request, f"The URL is switched off: {endpoint.disabled_reason}.")
    else:
        outbox.test(endpoint, now=timezone.now())
        doorbell.ring("webhooks")
        messages.success(visit.request, "A test event is on its way.")
    return HttpResponseRedirect(reverse("dashboard:webhook", args=[endpoint.id]))


@guard.page("administer", methods=("POST",))
def replay(visit: Visit, endpoint_id: UUID, message_id: UUID) -> HttpResponse:
    """Send a message again; htmx gets its line alone."""
    endpoint = _found(visit, endpoint_id)
    message: Message | None = queries.messages(endpoint).filter(id=message_id).first()
    if message is None:
        raise Http404
    if outbox.replay(message, now=timezone.now()):
        doorbell.ring("webhooks")
    if rendering.wants_part(visit):
        shown = {"endpoint": endpoint, "message": queries.messages(endpoint).get(id=message_id)}
        return rendering.part(visit, "_message.html", shown)
    return HttpResponseRedirect(reverse("dashboard:webhook", args=[endpoint.id]))


def _found(visit: Visit, endpoint_id: UUID) -> Endpoint:
    """Raises: Http404, for others' as for those that are not there."""
    rows = Endpoint.objects.filter(merchant=visit.merchant, api__in=KINDS, is_callback=False)
    found = rows.filter(id=endpoint_id).first()
    if found is None:
        raise Http404
    return found


def _registered(visit: Visit, made: Endpoint) -> HttpResponse:
    texts = {"URL": made.url, "Webhook secret": endpoints.secret_for(visit.merchant, api=made.api, now=timezone.now())}
    back = reverse("dashboard:webhook", args=[made.id])
    return rendering.page(visit, "secret.html", {"title": "Registered", "made": {"texts": texts}, "back": back})


def _back(visit: Visit, text: str) -> HttpResponse:
    messages.success(visit.request, text)
    return HttpResponseRedirect(reverse("dashboard:webhooks"))
