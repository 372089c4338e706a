"""The sandbox's part for the `tenant` API: an application that may ask for every scope, and a webhook's secret."""

from datetime import datetime
from typing import Any

from payouts.api.tenant import wire
from payouts.merchants import oauth
from payouts.merchants.models import Merchant
from payouts.merchants.oauth_models import SCOPES
from payouts.webhooks import endpoints

URL = "https://hooks.sandbox.example/tenant"


def part(merchant: Merchant, *, bare: bool, now: datetime) -> dict[str, Any]:
    """The merchant's credentials for this API, made now; `bare`: its webhook has never been configured."""
    issued = oauth.issue(merchant, name="sandbox", scopes=SCOPES)
    return {
        "client_id": issued.application.client_id,
        "client_secret": issued.secret,
        "webhook_secret": None if bare else _configured(merchant, now=now),
    }


def _configured(merchant: Merchant, *, now: datetime) -> str:
    """The secret of a webhook that was configured once, and taken away since nobody listens there."""
    made = endpoints.only(merchant, api=wire.API, url=URL, events=wire.EVENTS, now=now)
    endpoints.remove(made)
    return endpoints.secret_for(merchant, api=wire.API, now=now)
