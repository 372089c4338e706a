"""The `tenant` API's views on sub-accounts and transfers: translate in, one core call, translate out."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chain import units
from payouts.api import base
from payouts.api.tenant import fields, payment_wire, wallet_wire, wire
from payouts.api.tenant.frame import TenantView
from payouts.subaccounts import holdings, subaccounts, transfers
from payouts.subaccounts.models import SubAccount, Transfer
from payouts.webhooks import endpoints
from payouts.withdrawals import idempotency

PAGE = 20
WALLET_FIELDS = frozenset({"name", "external_id"})
TRANSFER_FIELDS = frozenset({"wallet_id", "currency", "amount", "callback_url"})
HISTORY_FIELDS = frozenset({"wallet_id", "status", "transfer_type", "currency", "limit", "offset"})


class WalletView(TenantView):
    """What all of them show."""

    def shown(self, rows: list[SubAccount]) -> list[dict[str, Any]]:
        """Sub-accounts with what they hold now."""
        held = holdings.of(self.merchant, [row.account for row in rows])
        return [wallet_wire.wallet(row, held[row.account]) for row in rows]


class Wallets(WalletView):
    """`/wallets/`."""

    def get(self, request: Request) -> Response:
        """List the sub-accounts with what they hold, oldest first; `limit` and `offset` are there for many."""
        rows = subaccounts.of(self.merchant)
        total = rows.count()
        if "limit" in request.query_params or "offset" in request.query_params:
            limit, offset = self.page(request, default=fields.LARGEST_PAGE)
            rows = rows[offset : offset + limit]
        return Response({"accounts": self.shown(list(rows)), "total": total})

    def post(self, request: Request) -> Response:
        """Make a sub-account."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            fields.only(body, WALLET_FIELDS)
            name, external_id = (
                fields.text(body, "name", most=100),
                fields.optional_text(body, "external_id", most=128),
            )
            made = subaccounts.create(self.merchant, name=name, external_id=external_id, now=now)
            return 201, wallet_wire.wallet(made, {})

        status_code, answer = idempotency.once(self.key(request, "/wallets/"), make, now=now)
        return Response(answer, status=status_code)


class OneWallet(WalletView):
    """`/wallets/{id}/`."""

    def get(self, request: Request, number: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Retrieve, by the list's number."""
        wanted = base.whole(number, default=0)
        found = subaccounts.find(self.merchant, number=wanted) if wanted else None
        if found is None:
            raise fields.Refused("not_found", "Wallet not found")
        return Response(self.shown([found])[0])


class Balances(WalletView):
    """`/wallets/balances/`."""

    def post(self, request: Request) -> Response:
        """What a sub-account holds, by its wallet_id or the merchant's own external_id."""
        body = base.body_of(request)
        fields.only(body, frozenset({"wallet_id", "external_id"}))
        external_id = fields.optional_text(body, "external_id", most=128)
        found = payment_wire.sub_account(self.merchant, body, optional=bool(external_id))
        if found is None:
            found = subaccounts.find(self.merchant, external_id=external_id)
        if found is None or (external_id and found.external_id != external_id):
            raise fields.Refused("not_found", "Wallet not found")
        return Response(self.shown([found])[0])


class TransferView(TenantView):
    """What both directions have in common."""

    direction = Transfer.Direction.TO_SUB
    endpoint = ""

    def post(self, request: Request) -> Response:
        """Accept a transfer; a worker moves the money, and `callback_url` (or the webhook) is told."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            fields.only(body, TRANSFER_FIELDS)
            code = fields.offered_code(body)
            url = fields.optional_text(body, "callback_url", most=endpoints.MAX_URL)
            hook = (
                endpoints.callback(self.merchant, api=wire.API, url=url, events=wire.EVENTS, now=now) if url else None
            )
            order = transfers.Order(
                merchant=self.merchant,
                api=wire.API,
                sub_account=found(self, body),
                direction=self.direction,
                asset=code.asset,
                network=code.network,
                amount_units=units.to_units(code.asset, fields.amount(body, "amount")),
                actor=self.application.client_id,
                callback=hook,
            )
            return 202, wallet_wire.accepted(transfers.accept(order, now=now))

        status_code, answer = idempotency.once(self.key(request, self.endpoint), make, now=now)
        return Response(answer, status=status_code)


class TransferToUser(TransferView):
    """`/wallets/transfer-to-user/`."""

    direction, endpoint = Transfer.Direction.TO_SUB, "/wallets/transfer-to-user/"


class WithdrawToMaster(TransferView):
    """`/wallets/withdraw-to-master/`."""

    direction, endpoint = Transfer.Direction.TO_MASTER, "/wallets/withdraw-to-master/"


class TransferHistory(TenantView):
    """`/wallets/transfer-history/`."""

    def post(self, request: Request) -> Response:
        """List a sub-account's transfers, newest first."""
        body = base.body_of(request)
        fields.only(body, HISTORY_FIELDS)
        account = found(self, body)
        rows, (limit, offset) = self._rows(account, body), _page(body)
        shown = [wallet_wire.transfer(transfers.snapshot(row)) for row in rows[offset : offset + limit]]
        return Response(
            {
                "account": {
                    "name": account.name,
                    "wallet_id": wallet_wire.wallet_id(account.account),
                    "external_id": account.external_id or None,
                },
                "transfers": shown,
                "pagination": {"total": rows.count(), "limit": limit, "offset": offset},
            }
        )

    def _rows(self, account: SubAccount, body: dict[str, Any]) -> Any:
        rows = transfers.of(account).select_related("sub_account")
        for name, known in (("status", wallet_wire.STATUSES), ("transfer_type", TYPES)):
            text = fields.optional_text(body, name, most=100)
            if text and text not in known:
                raise fields.Refused("invalid_request", f"{name} must be one of: {', '.join(known)}")
            if text:
                rows = rows.filter(**{COLUMNS[name]: known[text]})
        if body.get("currency") is not None:
            code = fields.code(fields.text(body, "currency", most=100))
            rows = rows.filter(asset=code.asset, network=code.network)
        return rows


TYPES = {str(direction): str(direction) for direction in Transfer.Direction}
COLUMNS = {"status": "status", "transfer_type": "direction"}


def found(view: TenantView, body: dict[str, Any]) -> SubAccount:
    """The sub-account that a body names.

    Raises: fields.Refused.
    """
    account = payment_wire.sub_account(view.merchant, body)
    if account is None:
        raise fields.Refused("invalid_request", "wallet_id is required")
    return account


def _page(body: dict[str, Any]) -> tuple[int, int]:
    """Numbers, or the same as texts."""
    return fields.page(
        {name: str(body[name]) for name in ("limit", "offset") if body.get(name) is not None}, default=PAGE
    )
