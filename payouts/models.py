"""Index of the rooms' tables, for Django."""

from payouts.merchants.models import ApiKey, Challenge, Member, Merchant, Nonce
from payouts.ticks import Tick
from payouts.webhooks.models import Attempt, Endpoint, Message, SigningSecret
from payouts.withdrawals.models import FeeRule, IdempotencyKey, PolicyRule, StepTaken, Withdrawal

__all__ = [
    "ApiKey",
    "Attempt",
    "Challenge",
    "Endpoint",
    "FeeRule",
    "IdempotencyKey",
    "Member",
    "Merchant",
    "Message",
    "Nonce",
    "PolicyRule",
    "SigningSecret",
    "StepTaken",
    "Tick",
    "Withdrawal",
]
