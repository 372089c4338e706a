"""The `tenant` API's views on withdrawals: translate in, one core call, translate out."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chain import addresses, codes, networks
from ledger import balances
from ledger.accounts import Purpose, Ref
from payouts.api import base
from payouts.api.tenant import fields, orders, searching, wire
from payouts.api.tenant.frame import TenantView
from payouts.currencies import currencies
from payouts.currencies.currencies import Way
from payouts.withdrawals import estimating, idempotency, queries, snapshots, withdrawals
from payouts.withdrawals.estimating import Estimate as Estimated

PAGE = 20


class Withdrawals(TenantView):
    """`/withdrawal/`."""

    def get(self, request: Request) -> Response:
        """List what was made through this API."""
        limit, offset = self.page(request, default=PAGE)
        rows, total = searching.found(self.merchant, request.query_params)
        page = [wire.withdrawal(snapshots.of(row)) for row in rows[offset : offset + limit]]
        return Response({"withdrawals": page, "total": total()})

    def post(self, request: Request) -> Response:
        """Create: the amount is frozen at once, its fee comes out of it; two people approve it."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            order = orders.order(body, application=self.application, now=now)
            return 201, wire.whole(snapshots.of(withdrawals.create(order, now=now)))

        status_code, answer = idempotency.once(self.key(request, "/withdrawal/"), make, now=now)
        return Response(answer, status=status_code)


class OneWithdrawal(TenantView):
    """`/withdrawal/{withdrawal_id}/`."""

    def get(self, request: Request, withdrawal_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Retrieve."""
        return Response(wire.whole(self.seen(withdrawal_id)))

    def seen(self, text: str) -> dict[str, Any]:
        """The withdrawal with this id, when it is the merchant's own; foreign ids answer like absent ones.

        Raises: fields.Refused.
        """
        found = wire.parse_id(text)
        row = queries.of(self.merchant, api=wire.API).filter(id=found).first() if found else None
        if row is None:
            raise fields.Refused("not_found", "Withdrawal not found")
        return snapshots.of(row)


class Status(OneWithdrawal):
    """`/withdrawal/status/`."""

    http_method_names = ["post", "options"]

    def post(self, request: Request) -> Response:
        """Where a withdrawal is."""
        body = base.body_of(request)
        fields.only(body, frozenset({"withdrawal_id"}))
        seen = wire.withdrawal(self.seen(fields.text(body, "withdrawal_id", most=100)))
        told = ("withdrawal_id", "custom_id", "status", "transaction_hash", "created_at", "updated_at")
        return Response({name: seen[name] for name in told})


class ValidateAddress(TenantView):
    """`/withdrawal/validate-address/`."""

    def post(self, request: Request) -> Response:
        """Say whether money could be sent to an address."""
        body = base.body_of(request)
        fields.only(body, frozenset({"address", "currency", "blockchain", "type"}))
        text = fields.text(body, "address", most=500)
        names = _networks(body)
        fits = [name for name in names if self._is_valid(name, text)]
        valid = len(fits) == len(names)
        return Response({"valid": valid, "address": text, "blockchain": codes.BLOCKCHAINS[names[0]]})

    def _is_valid(self, network: str, text: str) -> bool:
        try:
            withdrawals.destination(self.merchant, network=network, text=text)
        except addresses.BadAddress:
            return False
        return True


def _networks(body: dict[str, Any]) -> list[str]:
    """The networks that the body's currency, blockchain and type name.

    Raises: fields.Refused, codes.UnknownCode, codes.NotOffered.
    """
    found = []
    if body.get("currency") is not None:
        found.append(fields.code(fields.text(body, "currency", most=100)).network)
    for name in ("blockchain", "type"):
        if body.get(name) is not None:
            text = fields.text(body, name, most=100)
            found.append(FAMILIES.get(text.lower()) or fields.network(text))
    if not found:
        raise fields.Refused("invalid_request", "Give one of: currency, blockchain, type")
    if not all(name in networks.NETWORKS for name in found):
        raise codes.NotOffered("no such network here")
    return found


FAMILIES = {"evm": "ethereum", "erc20": "ethereum", "tron": "tron", "trc20": "tron", "ethereum": "ethereum"}


class Estimate(TenantView):
    """`/withdrawal/estimate/`."""

    known = orders.FORMS | {"final_amount"}

    def post(self, request: Request) -> Response:
        """What a withdrawal would cost and leave, without making it.

        With `final_amount` the amount is what the recipient is to get.
        """
        body = base.body_of(request)
        fields.only(body, self.known)
        asked = orders.asked(body, now=base.now())
        final = fields.truth(body, "final_amount", default=False)
        case = asked.case(self.application)
        found = estimating.estimate_final(case) if final else estimating.estimate(case)
        if found.net_units <= 0:
            raise withdrawals.AmountTooSmall
        currencies.find(asked.code, Way.WITHDRAWAL).check(found.requested_units)
        return Response(self.told(asked.code, found))

    def told(self, code: codes.Code, found: Estimated) -> dict[str, Any]:
        """The answer."""
        amounts = {
            "requested_amount": found.requested_units,
            "fee": found.fee.units,
            "amount": found.net_units,
            "platform_fee": found.fee.platform_units,
            "network_fee": found.fee.network_units,
        }
        return wire.currency(code) | {name: wire.amount(code.asset, one) for name, one in amounts.items()}


class FeeEstimate(Estimate):
    """`/withdrawal/fee-estimate/`."""

    known = orders.FORMS | {"address"}

    def post(self, request: Request) -> Response:
        """What a withdrawal to an address would cost."""
        body = base.body_of(request)
        answer = super().post(request)
        if body.get("address") is not None:
            network = fields.network(answer.data["blockchain"])
            text = fields.text(body, "address", most=orders.MOST_OF_AN_ADDRESS)
            withdrawals.destination(self.merchant, network=network, text=text)
        return answer


class MinAmount(TenantView):
    """`/withdrawal/min-amount/`."""

    def post(self, request: Request) -> Response:
        """The least and the most that can be withdrawn at once."""
        body = base.body_of(request)
        fields.only(body, frozenset({"currency"}))
        code = fields.offered_code(body)
        found = currencies.find(code, Way.WITHDRAWAL)
        bounds = {"min_amount": found.min_units, "max_amount": found.max_units}
        return Response(wire.currency(code) | {name: wire.amount(code.asset, one) for name, one in bounds.items()})


class AvailableCurrencies(TenantView):
    """`/withdrawal/available-currencies/`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """List the currencies of which there is something to withdraw."""
        book = self.merchant.id
        offered = currencies.offered(Way.WITHDRAWAL)
        refs = {one.code.asset: Ref(book, book, one.code.asset, Purpose.AVAILABLE) for one in offered}
        held = balances.of([*refs.values()])
        found = [one.code for one in offered if held[refs[one.code.asset]].balance_units > 0]
        amounts = {code.joined: wire.amount(code.asset, held[refs[code.asset]].balance_units) for code in found}
        return Response({"currencies": [*amounts], "balances": amounts})
