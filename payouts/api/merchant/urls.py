"""The `merchant` API's routes, below `/v1/`."""

from django.urls import path, re_path

from payouts.api.merchant import batch_views, views

urlpatterns = [
    path("withdrawals", views.Withdrawals.as_view()),
    path("withdrawals/batch", batch_views.Batches.as_view()),
    path("withdrawals/batch/<str:run_id>", batch_views.OneBatch.as_view()),
    path("withdrawals/batch/<str:run_id>/rows", batch_views.BatchRows.as_view()),
    path("withdrawals/batch/<str:run_id>/cancel", batch_views.BatchCancel.as_view()),
    path("withdrawals/batch/<str:run_id>/results.csv", batch_views.BatchResults.as_view()),
    path("withdrawals/<str:public_id>", views.OneWithdrawal.as_view()),
    path("withdrawals/<str:public_id>/cancel", views.Cancel.as_view()),
    path("balance", views.Balance.as_view()),
    path("transactions", views.Transactions.as_view()),
    path("webhooks", views.Webhooks.as_view()),
    path("webhooks/secret/rotate", views.WebhookSecret.as_view()),
    path("webhooks/<uuid:webhook_id>", views.OneWebhook.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries", views.Deliveries.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay", views.Replay.as_view()),
    path("webhooks/<uuid:webhook_id>/test", views.TestEvent.as_view()),
    re_path(r"^.*$", views.NotFound.as_view()),
]
