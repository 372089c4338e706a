"""Stop and start lanes and whole networks by hand: who, when and why stays on record.

A pause stops orders and signatures. Bytes that were signed before are sent and watched on: they may be out already.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from chain import networks
from chain.models import HotWallet, Pause


class NoSuchLane(ValueError):
    """No wallet of ours has this address on that network."""


class NotPaused(ValueError):
    """There is nothing to end; perhaps its network is paused, not the lane."""


def pause(network: str, *, address: str = "", by: str, reason: str, now: datetime) -> Pause:
    """Stop a lane, or the network where no address is given; what is paused already stays as it was.

    When this returns no order is under way that did not see the pause: it waits for the lanes' rows.

    Raises: UnknownNetwork, NoSuchLane.
    """
    with transaction.atomic():
        wallet = _locked(network, address)
        standing = Pause.objects.filter(network=network, wallet=wallet, ended_at=None).first()
        found = standing or Pause.objects.create(network=network, wallet=wallet, at=now, by=by, reason=reason)
        project(network)
        return found


def resume(network: str, *, address: str = "", by: str, reason: str, now: datetime) -> Pause:
    """End the pause of a lane, or of the network where no address is given.

    Raises: UnknownNetwork, NoSuchLane, NotPaused.
    """
    with transaction.atomic():
        wallet = _locked(network, address)
        standing = Pause.objects.filter(network=network, wallet=wallet, ended_at=None).first()
        if standing is None:
            raise NotPaused(f"{address or network} is not paused")
        Pause.objects.filter(pk=standing.pk).update(ended_at=now, ended_by=by, ended_reason=reason)
        project(network)
        standing.refresh_from_db()
        return standing


def project(network: str) -> None:
    """Write on the lanes' rows what the standing pauses say."""
    standing = Pause.objects.filter(Q(wallet=OuterRef("pk")) | Q(wallet=None), network=network, ended_at=None)
    HotWallet.every.filter(network=network).update(paused=Exists(standing))


def stopped() -> Exists:
    """A condition on intents: a pause stands for the lane or its network. The signer asks this, not the lanes' rows."""
    of_lane = Q(wallet=OuterRef("wallet")) | Q(wallet=None)
    return Exists(Pause.objects.filter(of_lane, network=OuterRef("network"), ended_at=None))


def is_paused(network: str) -> bool:
    """Tell whether the whole network is: a wallet that is taken into use then is, too."""
    return Pause.objects.filter(network=network, wallet=None, ended_at=None).exists()


def reasons(wallet: HotWallet) -> list[Pause]:
    """The pauses that stop this lane now."""
    rows = Pause.objects.filter(Q(wallet=wallet) | Q(wallet=None), network=wallet.network, ended_at=None)
    return list(rows.order_by("at"))


def _locked(network: str, address: str) -> HotWallet | None:
    """All lanes of the network are locked, in the order in which orders lock them; the one meant is returned."""
    networks.network(network)
    rows = {row.address: row for row in HotWallet.every.select_for_update().filter(network=network).order_by("id")}
    if not address:
        return None
    try:
        return rows[address]
    except KeyError as missing:
        raise NoSuchLane(f"no wallet {address} on {network}") from missing
