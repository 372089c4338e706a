"""Index of the rooms' tables, for Django."""

from payouts.currencies.models import CurrencyLimit
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import ApiKey, Challenge, Member, Merchant, Nonce
from payouts.merchants.oauth_models import Application
from payouts.merchants.store_models import AddressChange, Login, QrCode, Store, Supervisor
from payouts.merchants.user_models import UserWallet, WithdrawalSettings
from payouts.payments.models import DepositAddress, ExtendedKey
from payouts.payments.payment_models import Deposit, Payment, PaymentStep
from payouts.rates.models import Rate
from payouts.runs.models import Run, RunRow
from payouts.subaccounts.models import SubAccount, Transfer
from payouts.surveying import Difference
from payouts.ticks import Tick
from payouts.webhooks.models import Attempt, Endpoint, Message, MessageCount, SigningSecret
from payouts.withdrawals.counts import RequestCount, WithdrawalCount
from payouts.withdrawals.models import FeeRule, IdempotencyKey, PolicyRule, StepTaken, Withdrawal
from payouts.withdrawals.rule_models import LimitRule, RuleDecision, RuleProposal
from payouts.withdrawals.rulebook import RulebookVersion

__all__ = [
    "AddressChange",
    "ApiKey",
    "Application",
    "Attempt",
    "BookedAddress",
    "Challenge",
    "CurrencyLimit",
    "Deposit",
    "DepositAddress",
    "Difference",
    "Endpoint",
    "ExtendedKey",
    "FeeRule",
    "IdempotencyKey",
    "LimitRule",
    "Login",
    "Member",
    "Merchant",
    "Message",
    "MessageCount",
    "Nonce",
    "Payment",
    "PaymentStep",
    "PolicyRule",
    "QrCode",
    "Rate",
    "RequestCount",
    "RuleDecision",
    "RuleProposal",
    "RulebookVersion",
    "Run",
    "RunRow",
    "SigningSecret",
    "StepTaken",
    "Store",
    "SubAccount",
    "Supervisor",
    "Tick",
    "Transfer",
    "UserWallet",
    "Withdrawal",
    "WithdrawalCount",
    "WithdrawalSettings",
]
