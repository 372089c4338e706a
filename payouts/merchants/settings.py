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
