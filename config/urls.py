"""Every route of the service."""

from django.urls import URLPattern, URLResolver, include, path

from config import health, metrics
from payouts import admin
from payouts.api import docs

# In the order in which they are asked: `extraction` answers for every unknown path below api/v1/.
APIS: dict[str, list[URLPattern | URLResolver]] = {
    "public": [path("api/v1/", include("payouts.api.public.urls"))],
    "extraction": [path("api/v1/", include("payouts.api.extraction.urls"))],
    "merchant": [path("v1/", include("payouts.api.merchant.urls"))],
    "invoice": [path("v2/", include("payouts.api.invoice.urls"))],
    "tenant": [path("", include("payouts.api.tenant.urls"))],
}
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("admin/", admin.site.urls),
    path("dashboard/", include("payouts.dashboard.urls")),
    *docs.routes(APIS),
    *(route for routes in APIS.values() for route in routes),
]
