"""The `tenant` API's views on payments: asking a customer for money, and what came of it."""

from rest_framework.request import Request
from rest_framework.response import Response

from payouts.api import base
from payouts.api.tenant import fields, payment_wire, wire
from payouts.api.tenant.frame import TenantView
from payouts.currencies import currencies
from payouts.currencies.currencies import Way
from payouts.payments import payment_queries, payment_snapshots, payments
from payouts.withdrawals import idempotency

PAGE = 20


class Payments(TenantView):
    """`/payments/`."""

    def get(self, request: Request) -> Response:
        """List payments, newest first."""
        limit, offset = self.page(request, default=PAGE)
        page = payment_queries.page(self.merchant, _wanted(request), offset=offset, limit=limit)
        shown = [payment_wire.payment(payment_snapshots.of(row)) for row in page.payments]
        return Response({"payments": shown, "total": page.total, "limit": limit, "offset": offset})

    def post(self, request: Request) -> Response:
        """Ask for a payment: at an address of its own, until it expires."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            made = payments.create(payment_wire.order(body, merchant=self.merchant, now=now), now=now)
            return 201, payment_wire.payment(payment_snapshots.of(made))

        status_code, answer = idempotency.once(self.key(request, "/payments/"), make, now=now)
        return Response(answer, status=status_code)


def _wanted(request: Request) -> payment_queries.Filter:
    """Raises: fields.Refused, codes.UnknownCode."""
    query = request.query_params
    status, currency, blockchain, token = (query.get(name) for name in ("status", "currency", "blockchain", "token"))
    if status and status not in payment_wire.STATUSES:
        raise fields.Refused("invalid_request", f"status must be one of: {', '.join(payment_wire.STATUSES)}")
    code = fields.code(currency) if currency else None
    asset = fields.asset(token) if token else ""
    network = fields.network(blockchain) if blockchain else ""
    if code and (asset not in ("", code.asset) or network not in ("", code.network)):
        raise fields.Refused("invalid_request", "currency, blockchain and token contradict each other")
    return payment_queries.Filter(
        status=payment_wire.STATUSES[status] if status else "",
        asset=code.asset if code else asset,
        network=code.network if code else network,
    )


class Status(TenantView):
    """`/payments/status/`."""

    def post(self, request: Request) -> Response:
        """What came of a payment."""
        body = base.body_of(request)
        fields.only(body, frozenset({"transaction_id"}))
        payment_id = wire.parse_id(fields.text(body, "transaction_id", most=100))
        row = payment_queries.find(self.merchant, payment_id) if payment_id else None
        if row is None:
            raise fields.Refused("not_found", "Payment not found")
        hashes = list(payment_queries.deposits(row).values_list("txid", flat=True))
        return Response(payment_wire.payment(payment_snapshots.of(row)) | {"transaction_hashes": hashes})


class MinAmount(TenantView):
    """`/payments/min-amount/`."""

    def get(self, request: Request) -> Response:
        """The least and the most that a payment may be, in numbers."""
        code = fields.offered_code(request.query_params)
        found = currencies.find(code, Way.PAYMENT)
        named = wire.currency(code)
        return Response(
            {
                "currency": named["currency"],
                "min_amount": wire.number(code.asset, found.min_units),
                "max_amount": wire.number(code.asset, found.max_units),
                "blockchain": named["blockchain"],
                "token": named["token"],
            }
        )
