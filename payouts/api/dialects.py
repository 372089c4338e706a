"""Table of the APIs, and of the dashboard beside them: how each writes a withdrawal's id and a webhook's body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from payouts.api import dashboard
from payouts.api.extraction import wire as extraction
from payouts.api.invoice import wire as invoice
from payouts.api.merchant import wire as merchant
from payouts.api.public import wire as public
from payouts.api.tenant import hooks as tenant_hooks
from payouts.api.tenant import wire as tenant
from payouts.webhooks.models import Message


@dataclass(frozen=True, slots=True)
class Dialect:
    """What code outside an API needs of its wire format."""

    public_id: Callable[[UUID], str]
    parse_id: Callable[[str], UUID | None]
    webhook_body: Callable[[Message], bytes]


def no_webhooks(message: Message) -> bytes:
    """The body of an API whose documents know no webhooks; nobody can register a URL for it.

    Raises: ValueError.
    """
    raise ValueError(f"the {message.endpoint.api} API has no webhooks")


DIALECTS: Mapping[str, Dialect] = {
    "dashboard": Dialect(dashboard.public_id, dashboard.parse_id, dashboard.webhook_body),
    "extraction": Dialect(str, extraction.parse_id, no_webhooks),
    "invoice": Dialect(invoice.public_id, invoice.parse_id, no_webhooks),
    "merchant": Dialect(merchant.public_id, merchant.parse_id, merchant.webhook_body),
    "public": Dialect(public.public_id, public.parse_id, public.webhook_body),
    "tenant": Dialect(tenant.public_id, tenant.parse_id, tenant_hooks.webhook_body),
}


def webhook_body(message: Message) -> bytes:
    """The message's body as its API documents it."""
    return DIALECTS[message.endpoint.api].webhook_body(message)


def withdrawal_id(text: str) -> UUID | None:
    """The withdrawal behind an id as some API (or the admin) gave it, or None when it is no id at all."""
    for dialect in DIALECTS.values():
        found = dialect.parse_id(text)
        if found is not None:
            return found
    try:
        return UUID(text)
    except ValueError:
        return None
