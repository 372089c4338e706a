"""Every route of the service."""

from django.urls import URLPattern, URLResolver, include, path

from config import health, metrics
from payouts import admin

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("admin/", admin.site.urls),
    path("api/v1/", include("payouts.api.public.urls")),
    path("api/v1/", include("payouts.api.extraction.urls")),  # the last below api/v1/: it answers for unknown paths
    path("v1/", include("payouts.api.merchant.urls")),
]
