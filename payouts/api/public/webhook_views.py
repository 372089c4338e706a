"""The `public` API's views on webhooks: one URL per merchant, a test, the secret."""

from rest_framework.request import Request
from rest_framework.response import Response

from payouts import doorbell
from payouts.api import base
from payouts.api.public import auth, fields, wire
from payouts.api.public.frame import PublicView
from payouts.webhooks import endpoints, outbox
from payouts.webhooks import queries as webhook_queries
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import idempotency

SHOWN_OF_SECRET = 4


class WebhookView(PublicView):
    """What the merchant's one URL needs."""

    def current(self) -> Endpoint | None:
        """The URL that is told now."""
        return webhook_queries.endpoints(self.key.merchant, api=wire.API).filter(is_active=True).first()


class WebhookUrl(WebhookView):
    """`/public/webhook/url`."""

    endpoint = "webhook/url"

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Where the merchant is told."""
        found = self.current()
        return Response(wire.success("Webhook URL", {"url": found.url if found else None}))

    def post(self, request: Request) -> Response:
        """Tell the merchant there from now on."""
        body, now = base.body_of(request), base.now()
        scope = base.idempotency_scope(request, endpoint=f"POST {self.endpoint}", merchant=self.key.merchant)

        def make() -> idempotency.Answer:
            fields.only(body, frozenset({"url"}))
            url = fields.text(body, "url", most=endpoints.MAX_URL)
            made = endpoints.only(self.key.merchant, api=wire.API, url=url, events=wire.EVENTS, now=now)
            return 200, {"id": str(made.id), "url": made.url}

        status_code, data = idempotency.once(scope, make, now=now)
        return Response(wire.success("Webhook URL saved", data), status=status_code)


class WebhookTest(WebhookView):
    """`/public/webhook/test`."""

    endpoint = "webhook/test"

    def post(self, request: Request) -> Response:
        """Send a message there that says it is a test."""
        fields.only(base.body_of(request), frozenset())
        found = self.current()
        if found is None:
            raise fields.Refused(400, "Webhook URL is not configured")
        message = outbox.test(found, now=base.now())
        doorbell.ring("webhooks")
        return Response(wire.success("Test webhook sent", {"id": str(message.id), "url": found.url}))


class WebhookReplay(WebhookView):
    """`/public/webhook/replay`."""

    endpoint = "webhook/replay"

    def post(self, request: Request) -> Response:
        """Send again what was told last about a payout or withdrawal, to the URL that it was for."""
        body = base.body_of(request)
        fields.only(body, frozenset({"id"}))
        withdrawal_id = self.withdrawal_id(fields.text(body, "id", most=128), api=wire.API)
        message = webhook_queries.about(withdrawal_id).first()
        if message is None:
            raise fields.Refused(404, "No webhook was sent about this withdrawal")
        if not outbox.replay(message, now=base.now()):
            raise fields.Refused(400, "Webhook URL is no longer in use")
        doorbell.ring("webhooks")
        data = {"id": str(message.id), "url": message.endpoint.url}
        return Response(wire.success("Webhook sent again", data))


class WebhookSecret(PublicView):
    """`/public/webhook/secret`."""

    endpoint = "webhook/secret"

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """The end of the secret, so that one can tell which it is; a new one is shown whole, once."""
        secret = endpoints.secret_for(self.key.merchant, api=wire.API, now=base.now())
        return Response(wire.success("Webhook secret", {"secretMasked": f"****{secret[-SHOWN_OF_SECRET:]}"}))


class RotateWebhookSecret(PublicView):
    """`/public/webhook/secret/rotate`."""

    # Whoever knows the secret can pretend to be us, so the key alone, which travels with every call, is not enough.
    authentication_classes = [auth.WholePair]
    endpoint = "webhook/secret/rotate"

    def post(self, request: Request) -> Response:
        """Make a new secret, shown this once; for a day the old one signs beside it."""
        fields.only(base.body_of(request), frozenset())
        secret = endpoints.rotate_secret(self.key.merchant, api=wire.API, now=base.now())
        return Response(wire.success("Webhook secret rotated", {"secret": secret}))
