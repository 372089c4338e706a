"""The `tenant` API's routes: "relative to your custom base URL", which is this service's root."""

from django.urls import path, re_path

from payouts.api.tenant import (
    balance_views,
    currency_views,
    frame,
    oauth_views,
    payment_views,
    user_views,
    wallet_views,
    withdrawal_views,
)

urlpatterns = [
    path("o/token/", oauth_views.Token.as_view()),
    path("o/apps/", oauth_views.Apps.as_view()),
    path("o/apps/<str:app_id>/", oauth_views.OneApp.as_view()),
    path("currencies/", currency_views.Currencies.as_view()),
    path("rates/", currency_views.Rates.as_view()),
    path("payments/", payment_views.Payments.as_view()),
    path("payments/status/", payment_views.Status.as_view()),
    path("payments/min-amount/", payment_views.MinAmount.as_view()),
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
    path("user/balances/", balance_views.Balances.as_view()),
    path("user/balances/history/", balance_views.BalanceHistory.as_view()),
    path("user/fees/", user_views.Fees.as_view()),
    path("wallets/", wallet_views.Wallets.as_view()),
    path("wallets/balances/", wallet_views.Balances.as_view()),
    path("wallets/transfer-to-user/", wallet_views.TransferToUser.as_view()),
    path("wallets/withdraw-to-master/", wallet_views.WithdrawToMaster.as_view()),
    path("wallets/transfer-history/", wallet_views.TransferHistory.as_view()),
    path("wallets/<str:number>/", wallet_views.OneWallet.as_view()),
    path("status/", frame.Status.as_view()),
    re_path(r"^(o|currencies|rates|payments|withdrawal|user|wallets|status)(/.*)?$", frame.NotFound.as_view()),
]
