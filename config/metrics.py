"""`/metrics` for Prometheus: the gauges, for whoever has the token; without one only the local default shows them."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from payouts import gauges


class Rows(Collector):
    """Reads the gauges when it is asked, once per scrape."""

    def collect(self) -> Iterable[Metric]:
        """Families of one name each."""
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in gauges.read(now=datetime.now(UTC)):
            family = families.setdefault(
                gauge.name, GaugeMetricFamily(gauge.name, gauge.meaning, labels=list(gauge.labels))
            )
            family.add_metric(list(gauge.labels.values()), float(gauge.value))  # to be looked at, never reckoned with
        return families.values()


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """All gauges in Prometheus's text format; absent for whoever may not see them."""
    if not _may(request):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rows())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.IS_LOCAL)
    shown = request.headers.get("Authorization", "")
    return hmac.compare_digest(shown.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
