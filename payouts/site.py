"""The admin site: who may enter (a password and a one-time code), what its pages may load, what its front page says."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_update
from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django_otp.admin import OTPAdminAuthenticationForm, OTPAdminSite
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import BASE_INPUT_CLASSES

from chain import alarms
from payouts.merchants import otp
from payouts.withdrawals import waiting

# Alpine, which unfold is built on, evaluates the expressions in its attributes; nothing outside the admin may.
CONTENT_POLICY = {"script-src": ["'self'", "'unsafe-eval'"]}
SHOWN_ALARMS = 20
View = Callable[..., HttpResponseBase]


class LoginForm(OTPAdminAuthenticationForm, AuthenticationForm):  # type: ignore[misc]  # neither package is typed
    """Username, password and the code of one's own authenticator; six ASCII digits and nothing else."""

    otp_token = forms.CharField(
        label="One-time code",
        strip=False,
        error_messages={"required": "Enter the six digits that your authenticator shows."},
        widget=forms.TextInput(
            {
                "autocomplete": "one-time-code",
                "class": " ".join(BASE_INPUT_CLASSES),
                "inputmode": "numeric",
                "maxlength": 6,
                "pattern": "[0-9]{6}",
            }
        ),
    )

    def clean_otp_token(self) -> str:
        """Refuse what django-otp would take: full-width digits, signs, spaces."""
        token: str = self.cleaned_data["otp_token"]
        if not otp.CODE.fullmatch(token):
            raise forms.ValidationError("Enter the six digits that your authenticator shows.", code="otp_form")
        return token

    def clean_otp(self, user: User | None) -> None:
        """Leave the code unused as long as it is not one."""
        if "otp_token" in self.cleaned_data:
            super().clean_otp(user)

    def _chosen_device(self, user: User) -> Device | None:
        """The authenticator that approvals are checked with, locked for the check; what the form says is not asked."""
        device = TOTPDevice.objects.filter(user=user, confirmed=True).order_by("id").first()
        return device and Device.from_persistent_id(device.persistent_id, for_verify=True)


class Site(OTPAdminSite, UnfoldAdminSite):  # type: ignore[misc]  # neither package is typed
    """The approvers' desk and everything around it."""

    login_form = LoginForm
    login_template = "payouts/desk/login.html"
    index_template = "payouts/desk/index.html"
    index_title = "Overview"
    site_url = None

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002 - Django's signature
        """Let the admin's own pages run unfold's scripts."""
        guarded: View = csp_update(CONTENT_POLICY)(super().admin_view(view, cacheable))
        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Let the login page run unfold's scripts, too; Django does not send it through `admin_view`."""
        guarded: View = csp_update(CONTENT_POLICY)(super().login)
        return guarded(request, extra_context)

    def extra_context(self, context: dict[str, Any], _request: HttpRequest) -> dict[str, Any]:
        """Leave out unfold's inline style of colours, which the policy refuses; desk.css has them."""
        return context | {"colors": None}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Say first what is wrong, then what waits, for whom, and since when."""
        waits = waiting.summary(request.user, now=timezone.now()) if self.has_permission(request) else None
        alarmed = list(alarms.standing()[:SHOWN_ALARMS]) if request.user.has_perm("chain.view_alarm") else []
        shown: HttpResponseBase = super().index(request, {"waits": waits, "alarms": alarmed} | (extra_context or {}))
        return shown


site = Site("admin")
