"""The `public` API's views on users' wallets and on balances."""

from rest_framework.request import Request
from rest_framework.response import Response

from ledger import balances
from ledger.accounts import Purpose, Ref
from ledger.balances import Balance
from payouts.api import base
from payouts.api.public import fields, wire
from payouts.api.public.frame import GENERATE, PublicView
from payouts.payments import wallets
from payouts.payments.wallets import Generated
from payouts.webhooks import endpoints
from payouts.withdrawals import idempotency


def _amounts(available: Balance, pending: Balance) -> dict[str, object]:
    return {"totalAmt": wire.number(available.balance_units), "pendingAmt": wire.number(pending.balance_units)}


class GenerateWallet(PublicView):
    """`/public/wallet/generate`."""

    limit, endpoint = GENERATE, "wallet/generate"

    def post(self, request: Request) -> Response:
        """Give a user a deposit address on each network; a user who has them keeps them."""
        body, now = base.body_of(request), base.now()
        scope = base.idempotency_scope(request, endpoint=f"POST {self.endpoint}", merchant=self.key.merchant)

        def make() -> idempotency.Answer:
            user_id, details = fields.wallet_details(body)
            if details["callback_url"]:
                endpoints.check_url(str(details["callback_url"]))
            networks = list(wire.CURRENCIES.values())
            made = wallets.generate(self.key.merchant, user_id, details=details, networks=networks, now=now)
            return (201 if made.is_new else 200), _wallet(made)

        status_code, data = idempotency.once(scope, make, now=now)
        told = "Wallet generated" if status_code == 201 else "Wallet was generated before"  # noqa: PLR2004 - created
        return Response(wire.success(told, data), status=status_code)


def _wallet(made: Generated) -> dict[str, object]:
    wallet = made.wallet
    return {
        "id": str(wallet.id),
        "userId": wallet.user_id,
        "email": wallet.email,
        "firstName": wallet.first_name or None,
        "lastName": wallet.last_name or None,
        "phone": wallet.phone or None,
        "callbackUrl": wallet.callback_url or None,
        "isActive": wallet.is_active,
        "createdAt": wire.moment(wallet.created_at),
        "wallets": [
            {"currencyType": name, "network": name.partition("-")[2], "address": made.addresses[network]}
            for name, network in wire.CURRENCIES.items()
        ],
    }


class UserBalance(PublicView):
    """`/public/user/balance?userId=`."""

    endpoint = "user/balance"

    def get(self, request: Request) -> Response:
        """What the merchant owes the user, and what is on its way to the user."""
        user_id = request.query_params.get("userId")
        if not user_id:
            raise fields.Refused(400, "userId is required")
        # No database keeps a NUL, so nobody has such an id.
        wallet = None if "\x00" in user_id else wallets.find(self.key.merchant, user_id)
        if wallet is None:
            raise fields.Refused(404, "User wallet not found")
        data = {"userId": wallet.user_id, "currency": wire.ASSET, **_amounts(*wallets.owed(wallet, wire.ASSET))}
        return Response(wire.success("User balance", data))


class MerchantBalance(PublicView):
    """`/public/balance`."""

    endpoint = "balance"

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """The merchant's one balance."""
        book = self.key.merchant_id
        available, pending = (
            balances.balance(Ref(book, book, wire.ASSET, one)) for one in (Purpose.AVAILABLE, Purpose.FROZEN)
        )
        return Response(wire.success("Balance", {"currency": wire.ASSET, **_amounts(available, pending)}))
