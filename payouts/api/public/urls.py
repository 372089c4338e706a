"""The `public` API's routes, below `/api/v1/`."""

from django.urls import path, re_path

from payouts.api.public import frame, views, wallet_views, webhook_views

urlpatterns = [
    path("public/user/withdrawal/create", views.CreateWithdrawal.as_view()),
    path("public/withdrawal-requests", views.Requests.as_view()),
    path("public/withdrawal-requests/<str:public_id>/approve", views.Approve.as_view()),
    path("public/withdrawal-requests/<str:public_id>/reject", views.Reject.as_view()),
    path("public/payout/get", views.GetPayout.as_view()),
    path("public/payout/create", frame.PayoutCreate.as_view()),
    path("payout/create", frame.PayoutCreate.as_view()),
    path("public/wallet/generate", wallet_views.GenerateWallet.as_view()),
    path("public/user/balance", wallet_views.UserBalance.as_view()),
    path("public/balance", wallet_views.MerchantBalance.as_view()),
    path("public/webhook/url", webhook_views.WebhookUrl.as_view()),
    path("public/webhook/test", webhook_views.WebhookTest.as_view()),
    path("public/webhook/replay", webhook_views.WebhookReplay.as_view()),
    path("public/webhook/secret", webhook_views.WebhookSecret.as_view()),
    path("public/webhook/secret/rotate", webhook_views.RotateWebhookSecret.as_view()),
    re_path(r"^(public|payout)(/.*)?$", frame.NotFound.as_view()),
]
