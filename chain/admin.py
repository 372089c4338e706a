"""Read-only screens of the chain room; the site that shows them registers them."""

from typing import TYPE_CHECKING

from unfold.admin import ModelAdmin

from chain.alarms import Alarm
from chain.lane_admin import AlarmAdmin, HotWalletAdmin, LaneThresholdAdmin, PauseAdmin, SweepRuleAdmin
from chain.models import EndpointHealth, Follower, HotWallet, Intent, LaneThreshold, Pause, SignedAttempt, SweepRule
from chain.screens import ReadOnly

if TYPE_CHECKING:
    from django.db.models import Model


class IntentAdmin(ReadOnly):
    """Payments on their way, what each waits for, and the proof of each that is decided."""

    list_display = (
        "id",
        "purpose",
        "payout_id",
        "network",
        "asset",
        "amount_units",
        "to_address",
        "state",
        "seq",
        "txid",
        "last_error",
    )
    list_filter = ("state", "purpose", "network", "asset")
    search_fields = ("=id", "=payout_id", "=txid", "=to_address")
    ordering = ("-created_at",)


class SignedAttemptAdmin(ReadOnly):
    """Signed bytes by their txid; the bytes themselves are not shown."""

    list_display = ("txid", "intent", "number", "state", "signed_at", "ref_number", "expiration_ms")
    list_filter = ("state",)
    search_fields = ("=txid", "=intent__id", "=intent__payout_id")
    exclude = ("raw",)
    ordering = ("-signed_at",)


class EndpointHealthAdmin(ReadOnly):
    """Nodes that are put aside, since when and why; empty when all are well."""

    list_display = ("network", "endpoint", "fault", "reason", "since", "until")
    list_filter = ("network", "fault")


class FollowerAdmin(ReadOnly):
    """How far each network has been read for what comes in."""

    list_display = ("network", "number", "final_number", "head_number", "at", "caught_up_at")


# fmt: off
SCREENS: dict[type["Model"], type[ModelAdmin]] = {
    Alarm:          AlarmAdmin,
    LaneThreshold:  LaneThresholdAdmin,
    SweepRule:      SweepRuleAdmin,
    Pause:          PauseAdmin,
    HotWallet:      HotWalletAdmin,
    Intent:         IntentAdmin,
    SignedAttempt:  SignedAttemptAdmin,
    EndpointHealth: EndpointHealthAdmin,
    Follower:       FollowerAdmin,
}
# fmt: on
