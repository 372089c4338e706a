"""Every route of the service."""

from django.urls import URLPattern, URLResolver, include, path

from config import health
from payouts import admin

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("v1/", include("payouts.api.merchant.urls")),
]
