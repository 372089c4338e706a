"""Which networks have something to do, so that a sweep of many networks asks once instead of once for each."""

from django.db.models import QuerySet

from chain import networks
from chain.models import Intent


def networks_of(rows: QuerySet[Intent]) -> list[str]:
    """The configured networks of these intents, in the catalogue's order."""
    found = set(rows.order_by().values_list("network", flat=True).distinct())
    return [row.name for row in networks.configured() if row.name in found]
