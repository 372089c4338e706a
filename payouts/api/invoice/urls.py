"""The `invoice` API's routes, below `/v2/`."""

from django.urls import path, re_path

from payouts.api.invoice import views

urlpatterns = [
    path("invoice/api/out/create", views.Create.as_view()),
    path("merchant/wallet/balance/all", views.Balances.as_view()),
    re_path(r"^.*$", views.NotFound.as_view()),
]
