"""The `extraction` API's routes, below `/api/v1/`."""

from django.urls import path, re_path

from payouts.api.extraction import views

urlpatterns = [
    path("auth/login", views.Login.as_view()),
    path("auth/refresh", views.Refresh.as_view()),
    path("auth/logout", views.Logout.as_view()),
    path("extraction/to-usdt", views.Extractions.as_view()),
    path("account/<str:account_id>", views.Account.as_view()),
    path("supervisor", views.Supervisors.as_view()),
    path("supervisor/me", views.Me.as_view()),
    path("supervisor/<str:supervisor_id>", views.OneSupervisor.as_view()),
    re_path(r"^.*$", views.NotFound.as_view()),
]
