"""Single fields of the `public` API's bodies, each checked by what the document says of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from payouts.api import refusals
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets

Refused = refusals.Refused
WALLET_FIELDS = frozenset({"userId", "email", "firstName", "lastName", "phone", "callbackUrl", "isActive"})


def only(body: dict[str, Any], known: frozenset[str]) -> None:
    """Refuse fields that nobody would act on: a misspelt `callbackUrl` would be a webhook that never comes.

    Raises: Refused.
    """
    unknown = sorted(set(body) - known)
    if unknown:
        raise Refused(400, f"Unknown field: {unknown[0]}"[:200])


def text(body: dict[str, Any], name: str, *, most: int) -> str:
    """A required text.

    Raises: Refused.
    """
    found = body.get(name)
    if found is None or found == "":
        raise Refused(400, f"{name} is required")
    if not isinstance(found, str) or len(found) > most:
        raise Refused(400, f"{name} must be a string of at most {most} characters")
    return found


def optional_text(body: dict[str, Any], name: str, *, most: int) -> str:
    """A text that may be left out, null or empty: then "".

    Raises: Refused.
    """
    return text(body, name, most=most) if body.get(name) not in (None, "") else ""


def wallet(merchant: Merchant, user_id: str) -> UserWallet:
    """The user's wallet, which must have been generated.

    Raises: Refused.
    """
    found = wallets.find(merchant, user_id)
    if found is None:
        raise Refused(404, "User wallet not found")
    if not found.is_active:
        raise Refused(400, "User wallet is not active")
    return found


def wallet_details(body: dict[str, Any]) -> tuple[str, dict[str, object]]:
    """The user's id and details in the body of `wallet/generate`.

    Raises: Refused.
    """
    only(body, WALLET_FIELDS)
    user_id, email = text(body, "userId", most=128), text(body, "email", most=254)
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused(400, "email must be an e-mail address") from error
    is_active = body.get("isActive", True)
    if not isinstance(is_active, bool):
        raise Refused(400, "isActive must be true or false")
    return user_id, {
        "email": email,
        "first_name": optional_text(body, "firstName", most=100),
        "last_name": optional_text(body, "lastName", most=100),
        "phone": optional_text(body, "phone", most=32),
        "callback_url": optional_text(body, "callbackUrl", most=2000),
        "is_active": is_active,
    }
