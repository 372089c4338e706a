"""The page behind an invitation: somebody new chooses a password, then logs in and enrols an authenticator."""

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from payouts.dashboard import guard
from payouts.merchants import members


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, person: int, token: str) -> HttpResponse:
    """Take the password that somebody chooses, as long as the link is good."""
    invited = User.objects.filter(pk=person).first()
    if invited is None or not members.acting(invited) or not default_token_generator.check_token(invited, token):
        return render(request, "payouts/dashboard/join.html", {"form": None}, status=404)
    form = SetPasswordForm(invited, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your password is set. Log in with it.")
        return HttpResponseRedirect(reverse(guard.DOOR))
    return render(request, "payouts/dashboard/join.html", {"form": form, "person": invited})
