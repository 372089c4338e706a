"""What a merchant's people have set; nothing set is the documented default."""

from payouts.merchants.models import Merchant
from payouts.merchants.user_models import WithdrawalSettings


def of(merchant: Merchant) -> WithdrawalSettings:
    """The merchant's settings, or the defaults that nobody has touched yet."""
    return WithdrawalSettings.objects.filter(merchant=merchant).first() or WithdrawalSettings(merchant=merchant)


def says_yes(found: WithdrawalSettings, *, amount_units: int) -> bool:
    """Whether the merchant has said yes beforehand to a request of this amount.

    Units: the asset's ledger units; the threshold is inclusive.
    """
    return found.auto_withdraw and amount_units <= found.max_auto_units


def user_pays_fee(found: WithdrawalSettings) -> bool:
    """Whether the fee comes out of what the user withdraws, and not on top of it from the merchant."""
    return found.withdrawal_fee_payer == WithdrawalSettings.FeePayer.USER


def change(merchant: Merchant, *, auto_withdraw: bool, max_auto_units: int, withdrawal_fee_payer: str) -> None:
    """Set them all.

    Units: the asset's ledger units.
    """
    wanted = {
        "auto_withdraw": auto_withdraw,
        "max_auto_units": max_auto_units,
        "withdrawal_fee_payer": withdrawal_fee_payer,
    }
    WithdrawalSettings.objects.update_or_create(merchant=merchant, defaults=wanted)
