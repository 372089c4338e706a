"""The sandbox's part for the `public` API: a key pair, a user with a wallet, what is set in Dashboard > Settings."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import uuid_utils.compat as uuid7
from django.conf import settings

from chain import units
from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement
from payouts.api.public import wire
from payouts.merchants import pairs
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet, WithdrawalSettings
from payouts.payments import wallets
from payouts.payments.models import ExtendedKey
from payouts.webhooks import endpoints

USER_ID = "user-12345"
BOOLEANS = {"true": True, "false": False}


class BadSetting(ValueError):
    """There is no such setting, or it cannot have that value."""


def part(merchant: Merchant, *, bare: bool, now: datetime) -> dict[str, Any]:  # noqa: ARG001 - the parts' signature
    """The merchant's credentials for this API, made now."""
    provide_deposit_keys()
    networks = list(wire.CURRENCIES.values())
    wallets.generate(merchant, USER_ID, details={"email": f"{USER_ID}@sandbox.example"}, networks=networks, now=now)
    pair = pairs.issue(merchant, api=wire.API)
    secret = endpoints.secret_for(merchant, api=wire.API, now=now)
    return {"apikey": pair.apikey, "api_secret": pair.api_secret, "webhook_secret": secret, "user_id": USER_ID}


def provide_deposit_keys() -> None:
    """Have the signer make the keys that deposit addresses hang on, the first time."""
    for network in wire.CURRENCIES.values():
        if not ExtendedKey.objects.filter(network=network).exists():
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "deposit_key", "--network", network]
            environment = {**os.environ, "SLUICE_ROLE": "signer"}
            subprocess.run([*command, "--light"], env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own


def set_balance(merchant: Merchant, *, fund_units: int) -> None:
    """Bring what the merchant owes its user to this amount; the money behind it is the merchant's main balance.

    Units: the asset's ledger units.
    """
    wallet = UserWallet.objects.get(merchant=merchant, user_id=USER_ID)
    memo = wallets.memo(wallet, wire.ASSET, Purpose.MEMO)
    contra = Ref(merchant.id, merchant.id, wire.ASSET, Purpose.MEMO_CONTRA)
    missing_units = fund_units - balances.balance(memo).balance_units
    event = uuid7.uuid7()
    if missing_units > 0:
        movement = Movement(event, event, Kind.MEMO_CREDIT, contra, memo, missing_units, "sandbox")
        posting.post([movement])
    elif missing_units < 0:
        persons = {"reason": "sandbox --fund", "by": "sandbox", "approved_by": "its developer"}
        movement = Movement(event, event, Kind.ADJUST, memo, contra, -missing_units, "sandbox", persons)
        posting.post([movement])


def set_up(merchant: Merchant, wanted: Sequence[str]) -> None:
    """Set what the merchant's people would set in the dashboard: `key=value` by the document's own names.

    Raises: BadSetting.
    """
    changes: dict[str, Any] = {}
    for text in wanted:
        key, _, value = text.partition("=")
        try:
            changes |= _change(key, value)
        except (KeyError, InvalidOperation, units.BadAmount) as error:
            raise BadSetting(f"cannot set {text!r}") from error
    if changes:
        WithdrawalSettings.objects.update_or_create(merchant=merchant, defaults=changes)


def _change(key: str, value: str) -> Mapping[str, Any]:
    """The field and the value that a setting stands for; KeyError when it is none."""
    match key:
        case "autoWithdraw":
            return {"auto_withdraw": BOOLEANS[value]}
        case "maxAutoWithdrawAmount":
            amount = Decimal(value)
            return {"max_auto_units": units.to_units(wire.ASSET, amount) if amount else 0}
        case "withdrawalFeePayer":
            return {"withdrawal_fee_payer": {"user": "user", "merchant": "merchant"}[value]}
    raise KeyError(key)
