"""The `tenant` API's routes: "relative to your custom base URL", which is this service's root."""

from django.urls import path, re_path

from payouts.api.tenant import currency_views, frame, oauth_views, user_views, withdrawal_views

urlpatterns = [
    path("o/token/", oauth_views.Token.as_view()),
    path("o/apps/", oauth_views.Apps.as_view()),
    path("o/apps/<str:app_id>/", oauth_views.OneApp.as_view()),
    path("currencies/", currency_views.Currencies.as_view()),
    path("rates/", currency_views.Rates.as_view()),
    path("withdrawal/", withdrawal_views.Withdrawals.as_view()),
    path("withdrawal/status/", withdrawal_views.Status.as_view()),
    path("withdrawal/validate-address/", withdrawal_views.ValidateAddress.as_view()),
    path("withdrawal/fee-estimate/", withdrawal_views.FeeEstimate.as_view()),
    path("withdrawal/estimate/", withdrawal_views.Estimate.as_view()),
    path("withdrawal/min-amount/", withdrawal_views.MinAmount.as_view()),
    path("withdrawal/available-currencies/", withdrawal_views.AvailableCurrencies.as_view()),
    path("withdrawal/<str:withdrawal_id>/", withdrawal_views.OneWithdrawal.as_view()),
    path("user/me/", user_views.Me.as_view()),
    path("user/webhooks/", user_views.Webhooks.as_view()),
    path("user/webhooks/test/", user_views.TestWebhook.as_view()),
    path("user/webhooks/secret/rotate/", user_views.RotateSecret.as_view()),
    path("user/fees/", user_views.Fees.as_view()),
    path("status/", frame.Status.as_view()),
    re_path(r"^(o|currencies|rates|payments|withdrawal|user|wallets|status)(/.*)?$", frame.NotFound.as_view()),
]
