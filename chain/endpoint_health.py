"""Which nodes are put aside, since when and why: shared by all processes, forgotten when a node is back."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from chain import alarms
from chain.models import EndpointFault, EndpointHealth

ALARM = "endpoint.aside"
TRIED_AGAIN_AFTER = timedelta(seconds=15)
REASON_LENGTH = 500


def rows(network: str) -> dict[str, EndpointHealth]:
    """The nodes of that network that are put aside, or were and have not shown yet that they are well.

    Raises: RuntimeError inside a transaction, where nobody may ask a network.
    """
    with transaction.atomic(durable=True):
        return {row.endpoint: row for row in EndpointHealth.objects.filter(network=network)}


def row(network: str, endpoint: str, fault: EndpointFault, reason: str, *, now: datetime) -> EndpointHealth:
    """A node's bad standing, not written down yet."""
    return EndpointHealth(
        network=network,
        endpoint=endpoint,
        fault=fault,
        reason=reason[:REASON_LENGTH],
        since=now,
        until=now + TRIED_AGAIN_AFTER,
    )


def put_aside(found: EndpointHealth, *, now: datetime) -> None:
    """Ask that node nothing that matters for a while; a repeat keeps the moment of the first."""
    EndpointHealth.objects.bulk_create(
        [found],
        update_conflicts=True,
        unique_fields=["network", "endpoint"],
        update_fields=["fault", "reason", "until"],
    )
    subject = f"{found.network}/{found.endpoint}"
    alarms.raise_alarm(ALARM, subject=subject, text=f"{found.fault}: {found.reason}", now=now)


def forget(network: str, endpoints: Collection[str], *, now: datetime) -> None:
    """These nodes are in good standing again, or not ours any more."""
    for endpoint in endpoints:
        EndpointHealth.objects.filter(network=network, endpoint=endpoint).delete()
        alarms.clear(ALARM, subject=f"{network}/{endpoint}", now=now)
