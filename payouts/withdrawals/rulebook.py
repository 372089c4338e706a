"""The rows that rule one merchant's withdrawals through one API: read anew, or kept while no rule changes.

What is kept carries the number of the version that it was read at. Every change of a rule raises that number in its own
commit (migrations/sql/create_withdrawal.sql), and the statement that makes a withdrawal compares it: so what is kept
decides nothing on its own, and a tightened limit binds the very next call.
"""

from collections.abc import Sequence
from functools import cached_property
from uuid import UUID

from django.db import models
from django.db.models import Q

from chain.models import HotWallet
from payouts import prepared
from payouts.merchants import settings
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import WithdrawalSettings
from payouts.webhooks import outbox
from payouts.webhooks.models import Endpoint
from payouts.withdrawals.models import Destination, FeeRule, PolicyRule
from payouts.withdrawals.rule_models import LimitRule

MOST_KEPT = 10_000  # sheets of one process; a merchant has one per API


class RulebookVersion(models.Model):
    """How often any rule has been changed; one row, which triggers alone write."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField()

    class Meta:
        app_label = "payouts"


_FEES = prepared.Query(
    lambda merchant_id, api: FeeRule.objects.filter(Q(merchant_id=merchant_id) | Q(merchant=None), api=api), UUID, str
)
_POLICIES = prepared.Query(
    lambda merchant_id, api: PolicyRule.objects.filter(
        Q(merchant_id=merchant_id) | Q(merchant=None), api__in=("", api)
    ).order_by("priority", "id"),
    *(UUID, str),
)
_LIMITS = prepared.Query(
    lambda merchant_id, api: LimitRule.objects.filter(
        Q(merchant_id=merchant_id) | Q(merchant=None), api__in=("", api)
    ).order_by("id"),
    *(UUID, str),
)
_OURS = prepared.Query(lambda address: HotWallet.objects.filter(address=address), str)


def is_ours(address: str) -> bool:
    """Whether the address is one of our own wallets'."""
    return _OURS.first(address) is not None


def our_wallets() -> frozenset[str]:
    """Every address of ours: nothing is paid there."""
    return frozenset(HotWallet.objects.values_list("address", flat=True))


class Sheet:
    """The rows, each kind read when it is first asked for."""

    def __init__(self, merchant: Merchant, api: str) -> None:
        self._merchant, self._api = merchant, api

    @cached_property
    def fees(self) -> Sequence[FeeRule]:
        """The merchant's own and those for every merchant."""
        return _FEES.rows(self._merchant.id, self._api)

    @cached_property
    def policies(self) -> Sequence[PolicyRule]:
        """The same, in the order in which they are asked."""
        return _POLICIES.rows(self._merchant.id, self._api)

    @cached_property
    def limits(self) -> Sequence[LimitRule]:
        """The same."""
        return _LIMITS.rows(self._merchant.id, self._api)

    @cached_property
    def settings(self) -> WithdrawalSettings:
        """What the merchant's people have set."""
        return settings.of(self._merchant)

    @cached_property
    def endpoints(self) -> Sequence[Endpoint]:
        """The merchant's URLs for this API's events."""
        return outbox.active(self._merchant.id, self._api)

    def is_ours(self, address: str) -> bool:
        """Whether the address is one of our own wallets'."""
        return is_ours(address)

    @cached_property
    def is_plain(self) -> bool:
        """Whether these rows decide alone: none asks how much has left lately, or what is known of an address."""
        return all(row.destination == Destination.ANY for row in self.policies) and not any(
            row.window_hours or row.book_only for row in self.limits
        )


class Kept(Sheet):
    """All of it, as it was at one version or a little later."""

    def __init__(self, merchant: Merchant, api: str) -> None:
        super().__init__(merchant, api)
        ((version,),) = prepared.call("SELECT number FROM payouts_rulebookversion", ())
        self.version = int(version)  # before the rows: they may be younger than it says, never older
        self.is_plain, self.fees, self.settings, self.endpoints  # noqa: B018 - reads them

    def forget(self) -> None:
        """Have it read anew for the next call."""
        _kept.pop((self._merchant.id, self._api), None)

    def is_ours(self, address: str) -> bool:  # noqa: ARG002 - the same question
        """No: the statement that makes the withdrawal asks it."""
        return False


_kept: dict[tuple[UUID, str], Kept] = {}


def kept(merchant: Merchant, api: str) -> Kept:
    """The rows as this process knows them; whoever relies on them has their version compared."""
    found = _kept.get((merchant.id, api))
    if found is None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        found = _kept[merchant.id, api] = Kept(merchant, api)
    return found
