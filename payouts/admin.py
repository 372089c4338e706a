"""The index of the admin's screens: every room's classes on one site."""

from uuid import UUID

from django.contrib.admin import display
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

import chain.admin
import ledger.admin
from chain import networks
from ledger.models import Anchor, Block
from payouts import operating
from payouts.api import dialects
from payouts.currencies.admin import CurrencyLimitAdmin
from payouts.currencies.models import CurrencyLimit
from payouts.merchants.admin import ApiKeyAdmin
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import ApiKey, Merchant
from payouts.merchants.oauth_admin import ApplicationAdmin
from payouts.merchants.oauth_models import Application
from payouts.merchants.people import PersonAdmin
from payouts.merchants.store_admin import StoreAdmin, SupervisorAdmin
from payouts.merchants.store_models import QrCode, Store, Supervisor
from payouts.merchants.user_models import UserWallet
from payouts.payments.admin import DepositAddressAdmin, DepositAdmin, ExtendedKeyAdmin, PaymentAdmin, UserWalletAdmin
from payouts.payments.models import DepositAddress, ExtendedKey
from payouts.payments.payment_models import Deposit, Payment
from payouts.rates.admin import RateAdmin
from payouts.rates.models import Rate
from payouts.reconciliation_admin import DifferenceAdmin
from payouts.site import site
from payouts.surveying import Difference
from payouts.webhooks.admin import EndpointAdmin, MessageAdmin
from payouts.webhooks.models import Endpoint, Message
from payouts.withdrawals.admin import WithdrawalAdmin
from payouts.withdrawals.amend_admin import ProposalAdmin
from payouts.withdrawals.credit_admin import MerchantAdmin, QrCodeAdmin
from payouts.withdrawals.fee_admin import FeeRuleAdmin
from payouts.withdrawals.models import FeeRule, PolicyRule, Withdrawal
from payouts.withdrawals.rule_admin import BookedAddressAdmin, LimitRuleAdmin, PolicyRuleAdmin
from payouts.withdrawals.rule_models import LimitRule, RuleProposal

__all__ = ["site"]


class Desk(WithdrawalAdmin):
    """The approvers' desk, with ids as the APIs write them."""

    def id_behind(self, text: str) -> UUID | None:
        """The withdrawal's id, in any API's form or its own."""
        return dialects.withdrawal_id(text)

    def public_id(self, withdrawal: Withdrawal) -> str:
        """The id as the API that made it gives it."""
        return dialects.DIALECTS[withdrawal.api].public_id(withdrawal.id)

    def waits_for(self, withdrawal: Withdrawal) -> str:
        """The approvals, a lane's money, or what its payment on chain is at."""
        return operating.waits_for(withdrawal)


class SealedBlocks(ledger.admin.BlockAdmin):
    """Seals, with their anchors as the chains' explorers show them."""

    @display(description="Anchored")
    def anchors(self, block: Block) -> SafeString:
        """Each network with its transaction, to be copied with one click and looked up elsewhere."""
        rows = [
            (one.network, one.txid, networks.network(one.network).explorer_tx_url.format(txid=one.txid))
            for one in Anchor.objects.filter(block=block.number).order_by("at")
        ]
        whole = '{} <span class="desk-whole">{}</span> <a href="{}" target="_blank" rel="noopener">explorer</a>'
        return format_html_join(mark_safe("<br>"), whole, rows) or mark_safe("nowhere")


# fmt: off
SCREENS: dict[type[Model], type] = {
    Withdrawal:  Desk,
    Merchant:    MerchantAdmin,
    Store:       StoreAdmin,
    QrCode:      QrCodeAdmin,
    Supervisor:  SupervisorAdmin,
    ApiKey:      ApiKeyAdmin,
    Application: ApplicationAdmin,
    FeeRule:     FeeRuleAdmin,
    Rate:        RateAdmin,
    CurrencyLimit: CurrencyLimitAdmin,
    PolicyRule:  PolicyRuleAdmin,
    LimitRule:   LimitRuleAdmin,
    BookedAddress: BookedAddressAdmin,
    RuleProposal: ProposalAdmin,
    Endpoint:    EndpointAdmin,
    Message:     MessageAdmin,
    UserWallet:  UserWalletAdmin,
    DepositAddress: DepositAddressAdmin,
    Deposit:     DepositAdmin,
    Payment:     PaymentAdmin,
    ExtendedKey: ExtendedKeyAdmin,
    Difference:  DifferenceAdmin,
    User:        PersonAdmin,
    **ledger.admin.SCREENS,
    Block:       SealedBlocks,
    **chain.admin.SCREENS,
}
# fmt: on

for model, screen in SCREENS.items():
    site.register(model, screen)
