"""The filters and orders of the `tenant` API's list of withdrawals."""

from collections.abc import Callable, Mapping

from django.db.models import Case, DecimalField, F, QuerySet, Value, When

from chain import units
from payouts.api.tenant import fields, wire
from payouts.merchants.models import Merchant
from payouts.withdrawals import counts, queries
from payouts.withdrawals.models import Withdrawal

FILTERS = ("status", "blockchain", "token", "custom_id", "start_date", "end_date")
MOST_PLACES = max(units.PLACES.values())
# Amounts of different assets side by side, in coins: each asset's units brought to the same number of places.
IN_COINS = F("net_units") * Case(
    *(When(asset=asset, then=Value(10 ** (MOST_PLACES - places))) for asset, places in units.PLACES.items()),
    output_field=DecimalField(max_digits=100, decimal_places=0),
)
SORTS: Mapping[str, tuple[object, ...]] = {
    "created_desc": ("-id",),
    "created_asc": ("id",),
    "amount_desc": (IN_COINS.desc(), "-id"),
    "amount_asc": (IN_COINS.asc(), "id"),
}


def found(merchant: Merchant, query: Mapping[str, str]) -> tuple[QuerySet[Withdrawal], Callable[[], int]]:
    """The withdrawals that a list's query asks for, in its order, and how to count them.

    Raises: fields.Refused, codes.UnknownCode.
    """
    sort = query.get("sort", "created_desc")
    if sort not in SORTS:
        raise fields.Refused("invalid_request", f"sort must be one of: {', '.join(SORTS)}")
    rows = queries.of(merchant, api=wire.API).order_by(*SORTS[sort])  # type: ignore[arg-type]  # names and expressions
    if not any(query.get(name) for name in FILTERS):
        return rows, lambda: counts.of(merchant, api=wire.API)
    rows = _filtered(rows, query)
    return rows, rows.count


def _filtered(rows: QuerySet[Withdrawal], query: Mapping[str, str]) -> QuerySet[Withdrawal]:
    if status := query.get("status"):
        if status not in wire.DOCUMENTED:
            raise fields.Refused("invalid_request", f"status must be one of: {', '.join(wire.DOCUMENTED)}")
        rows = rows.filter(status__in=[one for one, shown in wire.SHOWN.items() if shown == status])
    if blockchain := query.get("blockchain"):
        rows = rows.filter(network=fields.network(blockchain))
    if token := query.get("token"):
        rows = rows.filter(asset=fields.asset(token))
    if custom_id := query.get("custom_id"):
        rows = rows.filter(custom_id=custom_id.replace("\x00", "?"))  # which PostgreSQL cannot hold, nor any id of ours
    if (start := fields.moment(query, "start_date")) is not None:
        rows = rows.filter(created_at__gte=start)
    if (end := fields.moment(query, "end_date", ends=True)) is not None:
        rows = rows.filter(created_at__lt=end)
    return rows
