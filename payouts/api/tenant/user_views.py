"""The `tenant` API's views on the tenant itself: its settings, its webhook, what the platform earned from it."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ledger import balances
from ledger.accounts import Purpose
from payouts import doorbell
from payouts.api import base
from payouts.api.tenant import fields, wire
from payouts.api.tenant.frame import ADMIN, WRITE, TenantView
from payouts.webhooks import endpoints, outbox
from payouts.webhooks import queries as webhook_queries
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import idempotency, rules

CREATED = "Webhook settings created successfully. Please save your secret - it will not be shown again."
UPDATED = "Webhook settings updated successfully."
ROTATED = "Webhook secret rotated. Please save your secret - it will not be shown again."
SHOWN_OF_SECRET = 3
HOME = ("USDT", "tron")  # whose percentage is told as the tenant's


class WebhookView(TenantView):
    """What the merchant's one URL needs."""

    def rows(self, *, ever: bool = False) -> Any:
        """The URL that is told now; `ever`: or was."""
        return webhook_queries.endpoints(self.merchant, api=wire.API, removed=ever)

    def current(self) -> Endpoint | None:
        """The URL that is told now."""
        found: Endpoint | None = self.rows().filter(is_active=True).first()
        return found


class Me(WebhookView):
    """`/user/me/`."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """The tenant's name, fee and webhook."""
        asset, network = HOME
        tariff = rules.tariff(rules.Case(self.merchant, wire.API, asset, network, 0))
        hook = self.current()
        return Response(
            {
                "name": self.merchant.name,
                "transaction_fee": base.number(_plain(f"{tariff.percent:f}")),
                "is_fee_paid_by_user": False,
                "webhook_callback_url": hook.url if hook else None,
                "webhook_secret_masked": self._masked() if self.rows(ever=True).exists() else None,
            }
        )

    def _masked(self) -> str:
        secret = endpoints.secret_for(self.merchant, api=wire.API, now=base.now())
        return f"sec_****{secret[-SHOWN_OF_SECRET:]}"


class Webhooks(WebhookView):
    """`/user/webhooks/`."""

    scopes = WRITE

    def post(self, request: Request) -> Response:
        """Tell the merchant there from now on; the first time the secret that signs is shown, and never again."""
        body, now = base.body_of(request), base.now()

        def make() -> idempotency.Answer:
            fields.only(body, frozenset({"callback_url"}))
            url = fields.text(body, "callback_url", most=endpoints.MAX_URL)
            is_first = not self.rows(ever=True).exists()
            made = endpoints.only(self.merchant, api=wire.API, url=url, events=wire.EVENTS, now=now)
            return (201 if is_first else 200), {"callback_url": made.url}

        status_code, answer = idempotency.once(self.key(request, "/user/webhooks/"), make, now=now)
        if status_code != 201:  # noqa: PLR2004 - created, or created by the call that this one repeats
            return Response(answer | {"message": UPDATED}, status=status_code)
        # The secret joins after the answer was kept for a repeat: secrets are at rest only sealed.
        secret = endpoints.secret_for(self.merchant, api=wire.API, now=now)
        return Response(answer | {"secret": secret, "message": CREATED}, status=status_code)


class RotateSecret(WebhookView):
    """`/user/webhooks/secret/rotate/`."""

    scopes = WRITE

    def post(self, request: Request) -> Response:
        """Make a new secret, shown this once; for a day the old one signs beside it."""
        fields.only(base.body_of(request), frozenset())
        secret = endpoints.rotate_secret(self.merchant, api=wire.API, now=base.now())
        return Response({"secret": secret, "message": ROTATED})


class TestWebhook(WebhookView):
    """`/user/webhooks/test/`."""

    scopes = WRITE

    def post(self, request: Request) -> Response:
        """Send a message that says it is a test."""
        fields.only(base.body_of(request), frozenset())
        found = self.current()
        if found is None:
            raise fields.Refused("invalid_request", "Webhook URL is not configured")
        message = outbox.test(found, now=base.now())
        doorbell.ring("webhooks")
        return Response({"id": str(message.id), "callback_url": found.url}, status=202)


class Fees(TenantView):
    """`/user/fees/`."""

    scopes = ADMIN

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """What the platform earned from this tenant, by asset."""
        held = balances.of_owners(self.merchant.id, [self.merchant.id], [Purpose.FEES])
        earned = sorted((ref.asset, fees.balance_units) for ref, fees in held.items())
        fees = {asset: {"amount": wire.amount(asset, units)} for asset, units in earned}
        return Response({"fees": fees})


def _plain(text: str) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
