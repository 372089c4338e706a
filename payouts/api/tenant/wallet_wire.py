"""The `tenant` API's sub-accounts ("wallets"), transfers and balances as its documents show them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from chain import codes
from payouts.api import ids
from payouts.api.tenant import wire
from payouts.subaccounts.holdings import Holding
from payouts.subaccounts.models import SubAccount, Transfer

Holdings = Mapping[str, Holding]  # by asset
SHOWN: Mapping[str, str] = {status: str(status).lower() for status in Transfer.Status}
STATUSES: Mapping[str, str] = {shown: status for status, shown in SHOWN.items()} | {"accepted": Transfer.Status.PENDING}
ACCEPTED = "Transfer request accepted and is being processed"
AMOUNTS: Mapping[str, Callable[[Holding], int]] = {
    "amount": lambda held: held.amount_units,
    "pending_amount": lambda held: held.pending_units,
    "available_balance": lambda held: held.available_units,
}


def wallet_id(account: UUID) -> str:
    """A sub-account's id as the documents write it."""
    return ids.WALLET.text(account)


def wallet(row: SubAccount, held: Holdings) -> dict[str, Any]:
    """A sub-account with what it holds."""
    return {
        "id": row.pk,
        "name": row.name,
        "external_id": row.external_id or None,
        "wallet_id": wallet_id(row.account),
        "created": wire.moment(row.created_at),
        "updated": wire.moment(row.updated_at),
        "balances": balances(held),
    }


def balances(held: Holdings) -> list[dict[str, Any]]:
    """An asset's one balance under each of its codes."""
    return [{"currency": code.joined, **amounts(code.asset, held[code.asset])} for code in offered(held)]


def offered(assets: Iterable[str]) -> list[codes.Code]:
    """The codes of these assets that are offered here, in the documents' order."""
    wanted = {*assets}
    return [code for code in codes.all_offered() if code.asset in wanted]


def amounts(asset: str, held: Holding, *names: str) -> dict[str, str]:
    """Some of a holding's amounts, or all of them."""
    return {name: wire.amount(asset, AMOUNTS[name](held)) for name in names or AMOUNTS}


def accepted(row: Transfer) -> dict[str, str]:
    """The answer to a transfer's request."""
    return {"status": "accepted", "transfer_id": ids.TRANSFER.text(row.id), "message": ACCEPTED}


def transfer(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A transfer, as it is listed and told."""
    return {
        "transfer_id": ids.TRANSFER.text(UUID(seen["id"])),
        "wallet_id": wallet_id(UUID(seen["account"])),
        "external_id": seen["external_id"] or None,
        "transfer_type": seen["direction"],
        **wire.named(seen["asset"], seen["network"]),
        "amount": wire.amount(seen["asset"], seen["amount_units"]),
        "status": SHOWN[seen["status"]],
        "reason": seen["reason"] or None,
        "created_at": wire.moment(seen["created_at"]),
        "updated_at": wire.moment(seen["updated_at"]),
    }
