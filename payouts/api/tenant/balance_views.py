"""The `tenant` API's views on balances: the main account's, the sub-accounts', and what moved them."""

from collections import defaultdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chain import codes
from payouts.api.tenant import fields, history, wallet_wire, wire
from payouts.api.tenant.frame import READ, TenantView
from payouts.subaccounts import holdings, subaccounts
from payouts.subaccounts.holdings import Holding
from payouts.subaccounts.models import SubAccount

HISTORY_PAGE = 50


class Balances(TenantView):
    """`/user/balances/`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """What the main account and all sub-accounts hold: an asset's one balance under each of its codes."""
        rows = list(subaccounts.of(self.merchant))
        held = holdings.of(self.merchant, [self.merchant.id, *(row.account for row in rows)])
        main = held[self.merchant.id]
        by_asset: dict[str, list[tuple[SubAccount, Holding]]] = defaultdict(list)
        for row in rows:
            for asset, one in held[row.account].items():
                by_asset[asset].append((row, one))
        parts = [main, *(held[row.account] for row in rows)]
        moved = {asset for part in parts for asset, one in part.items() if one != Holding()}
        return Response(
            {
                "account": {
                    code.joined: wallet_wire.amounts(
                        code.asset, main.get(code.asset, Holding()), "amount", "pending_amount"
                    )
                    for code in codes.all_offered()
                },
                "sub_accounts": {
                    code.joined: _together(code.asset, by_asset[code.asset]) for code in wallet_wire.offered(by_asset)
                },
                "statistics": {"currencies_count": len(moved), "subaccounts_count": len(rows)},
            }
        )


def _together(asset: str, parts: list[tuple[SubAccount, Holding]]) -> dict[str, Any]:
    return {
        "total_amount": wire.amount(asset, sum(one.amount_units for _, one in parts)),
        "total_pending": wire.amount(asset, sum(one.pending_units for _, one in parts)),
        "accounts": [
            {
                "account_name": row.name,
                "account_id": wallet_wire.wallet_id(row.account),
                **wallet_wire.amounts(asset, one),
            }
            for row, one in parts
        ],
    }


class BalanceHistory(TenantView):
    """`/user/balances/history/`."""

    scopes = READ

    def get(self, request: Request) -> Response:
        """List what moved the main account's balances, newest first."""
        query = request.query_params
        limit, offset = self.page(request, default=HISTORY_PAGE)
        kind = query.get("type") or ""
        if kind and kind not in history.TYPES:
            raise fields.Refused("invalid_request", f"type must be one of: {', '.join(history.TYPES)}")
        code = fields.code(query["currency"]) if query.get("currency") else None
        page = history.page(self.merchant, code=code, kind=kind, limit=limit, offset=offset)
        return Response(page | {"limit": limit, "offset": offset})
