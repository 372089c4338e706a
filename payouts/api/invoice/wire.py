"""The `invoice` API's shapes: requests, answers, errors (seed 3, CONFORMANCE §3). Its documents know no webhooks."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import exceptions

from chain import addresses, codes, networks, units
from chain.assets import ASSETS
from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.balances import Balance
from payouts.api import base, ids
from payouts.merchants.models import ApiKey
from payouts.withdrawals import idempotency, limits, rules, withdrawals
from payouts.withdrawals.models import Withdrawal

API = "invoice"
CREATE_FIELDS = ("currency_code", "to_address", "amount")
AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
NOTHING = "0.0"
PLACES = 1  # the documents' amounts are floats: at least one place, and never a digit lost
NETWORK_IDS = {network: number for number, network in enumerate(codes.BLOCKCHAINS, start=1)}
public_id, parse_id = ids.INVOICE.text, ids.INVOICE.parse


class Refused(Exception):
    """A request that this API answers with an error of its own: one of the documented keys, and a text."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        self.text = text


# fmt: off
ERRORS: Mapping[type[Exception], tuple[int, str, str]] = {
    exceptions.AuthenticationFailed: (400, "authorization",      "Unauthorized request."),
    codes.UnknownCode:               (400, "currency_code",      "Unsupported or incorrect currency code."),
    codes.NotOffered:                (400, "currency_code",      "Currency code not available: no such network here."),
    rules.NoFeeRule:                 (400, "currency_code",      "Currency code not available: it has no fee."),
    addresses.BadAddress:            (400, "network",            "Incorrect recipient address for this network."),
    units.BadAmount:                 (400, "uncorrected_amount", "Amount too small, too large or malformed."),
    withdrawals.AmountTooSmall:      (400, "uncorrected_amount", "Amount too small: it must exceed the fee."),
    posting.InsufficientFunds:       (400, "uncorrected_amount", "Amount too large: insufficient balance."),
    limits.NotInAddressBook:         (400, "network",            "This address is not in the address book."),
    limits.PaymentLimitExceeded:     (400, "uncorrected_amount", "Amount too large: over the limit of a withdrawal."),
    limits.WindowLimitExceeded:      (400, "uncorrected_amount", "Amount too large: the withdrawal limit is reached."),
    idempotency.StillInFlight:       (409, "validate_error",     "A request with this key is still in progress."),
    idempotency.KeyReused:           (422, "validate_error",     "This key was used with another request."),
}
# fmt: on
REFUSALS: tuple[type[Exception], ...] = (Refused, *ERRORS)
KEYS: Mapping[int, str] = {429: "rate_limit"}  # of what the framework refuses; everything else is a validate_error
ERROR_KEYS = sorted({key for _, key, _ in ERRORS.values()} | {*KEYS.values(), "required_parameter", "validate_error"})


def error_of(error: Exception) -> tuple[int, dict[str, str]] | None:
    """The status and the `result` of a domain error; None for what is no refusal."""
    if isinstance(error, Refused):
        return 400, {error.key: error.text}
    if type(error) not in ERRORS:
        return None
    status_code, key, text = ERRORS[type(error)]
    return status_code, {key: text}


def envelope(status_code: int, told: dict[str, str] | str) -> dict[str, Any]:
    """`{status:"error", result:{key: text}}`."""
    result = told if isinstance(told, dict) else {KEYS.get(status_code, "validate_error"): told}
    return {"status": "error", "result": result}


def order(body: dict[str, Any], *, key: ApiKey) -> withdrawals.Order:
    """The order in a create's body.

    Raises: Refused, codes.UnknownCode, codes.NotOffered, units.BadAmount, addresses.BadAddress.
    """
    for field in CREATE_FIELDS:
        if body.get(field) in (None, ""):
            raise Refused("required_parameter", f"{field} is required.")
    for unknown in sorted({*body} - {*CREATE_FIELDS}):
        raise Refused("validate_error", f"Unknown parameter: {unknown[:100]}")
    code = _code(body["currency_code"])
    amount_units = units.to_units(code.asset, _amount(body["amount"]))
    if not isinstance(body["to_address"], str):
        raise addresses.BadAddress("an address is a text")
    return withdrawals.Order(
        merchant=key.merchant,
        api=API,
        asset=code.asset,
        network=code.network,
        destination=body["to_address"],
        amount_units=amount_units,
        actor=key.key_id,
        maker=key.issued_to,
    )


def _code(text: Any) -> codes.Code:
    """The code as this document writes it; without the underscore it is another document's."""
    if not isinstance(text, str) or text not in codes.CODES:
        raise codes.UnknownCode("not one of the forty")
    return codes.offered(text)


def _amount(value: Any) -> Decimal:
    """A JSON number, or a plain decimal text."""
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return Decimal(value)
    if not isinstance(value, Decimal):
        raise units.BadAmount("a number or a numeric text")
    return value


def created(row: Withdrawal) -> dict[str, Any]:
    """The `result` of a create: the amount is what the recipient gets; still as text, see `success`."""
    return {
        "invoice_id": public_id(row.id),
        "status": "created",
        "currency": codes.of(row.asset, network=row.network).code,
        "amount": units.text(row.asset, int(row.net_units), PLACES),
    }


def success(result: dict[str, Any]) -> dict[str, Any]:
    """`{status:"success", result}` of a create, its amount as a JSON number; kept for a repeat it is text."""
    return {"status": "success", "result": result | {"amount": base.number(result["amount"])}}


def balances(held: Mapping[Ref, Balance]) -> dict[str, Any]:
    """One entry per code with its asset's one balance; what is frozen still belongs to it, but is not available."""
    spread = {(ref.asset, ref.purpose): found.balance_units for ref, found in held.items()}
    return {"status": "success", "result": [_entry(code, spread) for code in codes.CODES.values()]}


def _entry(code: codes.Code, held: Mapping[tuple[str, Purpose], int]) -> dict[str, Any]:
    available, frozen = (held.get((code.asset, purpose), 0) for purpose in (Purpose.AVAILABLE, Purpose.FROZEN))
    whole = available + frozen
    return {
        "currency": _currency(code),
        "balance_crypto": base.number(_coins(code.asset, whole)),
        "balance_usd": _usd(code.asset, whole),
        "available_balance": base.number(_coins(code.asset, available)),
        "available_balance_usd": _usd(code.asset, available),
    }


def _coins(asset: str, amount_units: int) -> str:
    return units.text(asset, amount_units, PLACES) if amount_units else NOTHING


def _usd(asset: str, amount_units: int) -> Any:
    """What it is worth: stablecoins one to one, nothing is worth nothing, and null where nobody tells us a rate."""
    if amount_units and not ASSETS[asset].is_stable:
        return None
    return base.number(_coins(asset, amount_units))


def _currency(code: codes.Code) -> dict[str, Any]:
    """What a balance is in. Source: the vendor's page on balances; we have no icons."""
    asset, network = ASSETS.get(code.asset), networks.NETWORKS.get(code.network)
    return {
        "id": [*codes.CODES].index(code.code) + 1,
        "code": code.code,
        "short_code": code.asset,
        "name": asset.title if asset else code.asset,
        "is_email_required": False,
        "stablecoin": asset is not None and asset.is_stable,
        "icon_base": "",
        "icon_network": "",
        "icon_qr": "",
        "order": [*codes.CODES].index(code.code) + 1,
        "obj_network": {
            "code": code.code.partition("_")[2] or codes.BLOCKCHAINS[code.network],
            "id": NETWORK_IDS[code.network],
            "icon": "",
            "fullname": network.title if network else code.network,
        },
        "enable": code.is_offered,
    }
