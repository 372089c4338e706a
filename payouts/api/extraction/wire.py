"""The `extraction` API's shapes: requests, answers, errors (seed 0, CONFORMANCE §0)."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chain import addresses, units
from ledger import posting
from ledger.balances import Balance
from payouts.api import base, refusals
from payouts.api.extraction import auth
from payouts.merchants import logins, stores, supervisors
from payouts.merchants.store_models import Supervisor
from payouts.withdrawals import extractions, idempotency, limits, rules, withdrawals
from payouts.withdrawals.models import Withdrawal

API = extractions.API
ASSET = extractions.ASSET
LONGEST_NAME, LONGEST_EMAIL = 100, 254
FLAGS = {"qrActive": "qr_active", "buyUsdtActive": "buy_usdt_active"}
Refused = refusals.Refused
NUMBERS = frozenset({"amount", "balanceUsed", "creditUsed", "balance", "availableCredit"})


# fmt: off
ERRORS: dict[type[Exception], tuple[int, str]] = {
    auth.BadCredentials:              (401, "wrong username or password"),
    logins.TokenRefused:              (401, "invalid or expired refresh token"),
    supervisors.NotAllowed:           (403, "buyUsdtActive is not enabled for this supervisor"),
    stores.NoQrCode:                  (400, "no QR code is assigned to the store"),
    extractions.NoAddress:            (400, "no address is stored in the QR code"),
    extractions.NotTheStoredAddress:  (400, "supervisors cannot provide an address of their own"),
    addresses.BadAddress:             (400, "invalid address"),
    units.BadAmount:                  (400, "amount must be a positive number of USDT with at most 6 decimal places"),
    withdrawals.AmountTooSmall:       (400, "amount must exceed the fee"),
    rules.NoFeeRule:                  (400, "unsupported network"),
    supervisors.EmailTaken:           (409, "a supervisor with this email exists"),
    supervisors.TooMany:              (409, "too many supervisors"),
    Supervisor.DoesNotExist:          (404, "supervisor not found"),
    idempotency.StillInFlight:        (409, "a request with this idempotency key is in progress"),
    idempotency.KeyReused:            (422, "idempotency key was used with another request"),
    posting.InsufficientFunds:        (422, "insufficient funds: balance and available credit do not cover the amount"),
    limits.NotInAddressBook:          (400, "this address is not in the address book"),
    limits.PaymentLimitExceeded:      (422, "the amount exceeds the limit of one extraction"),
    limits.WindowLimitExceeded:       (422, "the limit of extractions is reached for now"),
    extractions.NoRate:               (422, "no exchange rate between the account's currency and USDT is available"),
    auth.LockedOut:                   (429, "too many failed logins, try again later"),
}
# fmt: on
REFUSALS: tuple[type[Exception], ...] = (Refused, *ERRORS)


def error_of(error: Exception) -> tuple[int, str] | None:
    """The status and text of a domain error; None for what is no refusal."""
    if isinstance(error, Refused):
        return error.status_code, error.text
    return ERRORS.get(type(error))


def envelope(status_code: int, text: str) -> dict[str, Any]:
    """`{statusCode, message, error}`."""
    return {"statusCode": status_code, "message": text, "error": HTTPStatus(status_code).phrase}


def parse_id(text: str) -> UUID | None:
    """The id behind a path's text, when it is one as this API writes it."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def only(body: dict[str, Any], *known: str) -> None:
    """Refuse fields that no document knows: what was meant by them would be ignored.

    Raises: Refused.
    """
    unknown = sorted(set(body) - {*known})
    if unknown:
        raise Refused(400, f"unknown field: {unknown[0]}"[:200])


def text_of(body: dict[str, Any], field: str) -> str:
    """A text that must be there and not be empty.

    Raises: Refused.
    """
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"{field} must be a text")
    return value


def wanted(body: dict[str, Any], *, caller: auth.Caller) -> extractions.Wanted:
    """The extraction in a create's body. The core looks at address and amount, after what goes before them.

    Raises: Refused.
    """
    only(body, "amount", "address")
    address = body.get("address", "")
    return extractions.Wanted(
        store=caller.store,
        person=caller.person,
        supervisor=caller.supervisor,
        address=None if "address" not in body else address if isinstance(address, str) else "",
        amount=body.get("amount"),  # type: ignore[arg-type]  # what is no Decimal is refused where it is turned into units
    )


def new_supervisor(body: dict[str, Any]) -> tuple[str, str]:
    """The name and the email address of a new supervisor.

    Raises: Refused.
    """
    only(body, "name", "email")
    name, email = text_of(body, "name").strip(), text_of(body, "email").strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(400, f"name must be a text of at most {LONGEST_NAME} characters")
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused(400, "email must be an email address") from error
    if not email.isascii() or len(email) > LONGEST_EMAIL:
        raise Refused(400, "email must be an email address")
    return name, email


def flags(body: dict[str, Any]) -> supervisors.Flags:
    """The flags that were sent.

    Raises: Refused.
    """
    only(body, *FLAGS)
    for field, value in body.items():
        if not isinstance(value, bool):
            raise Refused(400, f"{field} must be a boolean")
    return supervisors.Flags(**{FLAGS[field]: value for field, value in body.items()})


def extraction(row: Withdrawal) -> dict[str, Any]:
    """The answer to a create; its amounts still as text, see `shown`."""
    amount_units, credit_units = int(row.amount_units), int(row.credit_units)
    return {
        "id": str(row.id),
        "status": "created",
        "amount": money(ASSET, amount_units),
        "address": row.destination,
        "accountId": str(row.owner),
        "balanceUsed": money(ASSET, amount_units - credit_units),
        "creditUsed": money(ASSET, credit_units),
        "createdAt": base.moment(row.created_at),
    }


def account(owner: UUID, currency: str, *, available: Balance, credit: Balance) -> dict[str, Any]:
    """The answer to `GET /api/v1/account/{id}`; its amounts still as text, see `shown`."""
    return {
        "id": str(owner),
        "balance": money(currency, available.balance_units),
        "currency": currency,
        "availableCredit": money(currency, credit.spendable_units or 0),
    }


def supervisor(row: Supervisor) -> dict[str, Any]:
    """A supervisor as their store and they themselves see them."""
    return {
        "id": str(row.id),
        "name": row.name,
        "email": row.email,
        "username": row.person.get_username(),
        "accountId": str(row.account),
        **{field: getattr(row, flag) for field, flag in FLAGS.items()},
        "createdAt": base.moment(row.created_at),
    }


def tokens(issued: logins.Tokens) -> dict[str, str]:
    """The answer to a login and to a refresh."""
    return {"accessToken": issued.access, "refreshToken": issued.refresh}


def money(currency: str, amount_units: int) -> str:
    """Ledger units as a plain decimal without needless zeros."""
    return units.text(currency, amount_units, 0)


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its amounts as JSON numbers, to the last digit; kept for a repeat they are text."""
    return {field: base.number(value) if field in NUMBERS else value for field, value in answer.items()}
