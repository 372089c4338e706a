"""Getting in: a password, then a code of one's authenticator, which the first time is enrolled here.

Between the two nobody is logged in: the session knows only whose password was right, for ten minutes. Wrong passwords
and wrong codes count together, per person and address (django-axes); codes also wait longer after each wrong one.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib import auth, messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device

from payouts.dashboard import guard
from payouts.merchants import authenticators, members, otp

HALF_WAY, HALF_WAY_S = "dashboard.half_way", 600
BACKEND = "django.contrib.auth.backends.ModelBackend"
WRONG = "Wrong username or password."


class PasswordForm(forms.Form):
    """Who somebody says they are."""

    username = forms.CharField(max_length=150, widget=forms.TextInput({"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )


class CodeForm(forms.Form):
    """What shows that they are."""

    code = forms.CharField(
        label="One-time code",
        max_length=6,
        strip=False,
        help_text="The six digits that your authenticator shows now.",
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "pattern": "[0-9]{6}", "autofocus": True}
        ),
    )


class RecoveryForm(forms.Form):
    """What shows it when the authenticator is lost."""

    recovery_code = forms.CharField(
        max_length=16,
        help_text="One of the codes that you kept; each works once.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Take username and password."""
    if request.method != "POST" and guard.entry(request):
        return HttpResponseRedirect(_onwards(request, request.GET.get("next", "")))
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = auth.authenticate(request, **form.cleaned_data)
        if isinstance(person, User) and members.acting(person):
            _remember(request, person, request.POST.get("next", ""))
            step = "login-code" if authenticators.of(person) else "login-enrol"
            return HttpResponseRedirect(reverse(f"dashboard:{step}"))
        if isinstance(person, User):  # somebody else's than a merchant's: that the password was right is not told
            _count_failure(request, person)
        form.add_error(None, WRONG)
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    return render(request, "payouts/dashboard/login.html", context)


View = Callable[[HttpRequest, User], HttpResponse]


def half_way(view: View) -> Callable[..., HttpResponse]:
    """A step for whoever gave a right password lately; others begin again."""

    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def stepped(request: HttpRequest, **_: Any) -> HttpResponse:
        person = _remembered(request)
        return view(request, person) if person else HttpResponseRedirect(reverse(guard.DOOR))

    return stepped


@half_way
def code(request: HttpRequest, person: User) -> HttpResponse:
    """Take the authenticator's code, or a recovery code."""
    if authenticators.of(person) is None:
        return HttpResponseRedirect(reverse("dashboard:login-enrol"))
    recovering = "recovery" in request.GET
    form: forms.Form = (RecoveryForm if recovering else CodeForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = _checked(request, person, form.cleaned_data)
        except otp.OtpRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _enter(request, person, device)
    return render(request, "payouts/dashboard/code.html", {"form": form, "person": person, "recovering": recovering})


@half_way
def enrol(request: HttpRequest, person: User) -> HttpResponse:
    """Enrol an authenticator, by its first code; then show the recovery codes, this once."""
    if authenticators.of(person) is not None:
        return HttpResponseRedirect(reverse("dashboard:login-code"))
    device, form = authenticators.draft(person), CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _refuse_locked_out(request, person)
            otp.enrol(device, person=person, code=form.cleaned_data["code"])
        except otp.OtpRefused as refusal:
            _count_failure(request, person)
            form.add_error("code", str(refusal))
        else:
            onwards = _enter(request, person, device).url
            shown = {"codes": authenticators.new_recovery_codes(person), "onwards": onwards}
            return render(request, "payouts/dashboard/recovery_codes.html", shown)
    context = {
        "form": form,
        "person": person,
        "picture": authenticators.picture(device),
        "secret": authenticators.secret(device),
    }
    return render(request, "payouts/dashboard/enrol.html", context)


@csrf_protect
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return HttpResponseRedirect(reverse(guard.DOOR))


def _checked(request: HttpRequest, person: User, typed: dict[str, str]) -> Device:
    """Raises: otp.OtpRefused."""
    _refuse_locked_out(request, person)
    try:
        if "recovery_code" in typed:
            return otp.recover(person, code=typed["recovery_code"])
        return otp.check(person, code=typed["code"])
    except otp.OtpRefused:
        _count_failure(request, person)
        raise


def _refuse_locked_out(request: HttpRequest, person: User) -> None:
    if not AxesProxyHandler.is_allowed(request, {"username": person.get_username()}):
        raise otp.OtpRefused("there were too many wrong passwords or codes: wait a quarter of an hour")


def _count_failure(request: HttpRequest, person: User) -> None:
    user_login_failed.send(sender=__name__, credentials={"username": person.get_username()}, request=request)


def _remember(request: HttpRequest, person: User, onwards: str) -> None:
    request.session.flush()  # whatever was there, its key and somebody else's login included, ends here
    request.session[HALF_WAY] = {
        "person": person.pk,
        "password": person.get_session_auth_hash(),
        "until": timezone.now().timestamp() + HALF_WAY_S,
        "next": onwards,
    }


def _remembered(request: HttpRequest) -> User | None:
    kept = request.session.get(HALF_WAY)
    if not kept or kept["until"] < timezone.now().timestamp():
        return None
    person = User.objects.filter(pk=kept["person"]).first()
    if person is None or not constant_time_compare(kept["password"], person.get_session_auth_hash()):
        return None
    return person if members.acting(person) else None


def _enter(request: HttpRequest, person: User, device: Device) -> HttpResponseRedirect:
    kept = request.session.pop(HALF_WAY)
    auth.login(request, person, backend=BACKEND)  # gives the session a new key
    django_otp.login(request, device)
    if device == authenticators.recovery(person):
        left = authenticators.recovery_codes_left(person)
        messages.warning(
            request, f"{left} recovery codes are left. Lost your authenticator? Replace it under Security."
        )
    return HttpResponseRedirect(_onwards(request, kept["next"]))


def _onwards(request: HttpRequest, wanted: str) -> str:
    inside = wanted.startswith(reverse("dashboard:overview"))
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if inside and safe else reverse("dashboard:overview")
