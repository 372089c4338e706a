"""What lies on deposit addresses, and what each of them waits for: in plain values, for people."""

from dataclasses import dataclass

from chain import alarms, inspection, lanes, networks, sweeping
from chain.models import HotWallet, Intent, IntentState, LaneBalance, Purpose, SweepRule, WalletKind


@dataclass(frozen=True, slots=True)
class Unswept:
    """One asset of one address, as it was read last."""

    network: str
    address: str
    amount: str
    waits_for: str
    is_dust: bool


def listed(*, limit: int) -> list[Unswept]:
    """Tokens on deposit addresses: those where something moves first, then the largest of each network."""
    rows = LaneBalance.objects.filter(wallet__kind=WalletKind.DEPOSIT, units__gt=0).exclude(contract=networks.NATIVE)
    rules = list(SweepRule.objects.all())
    held = rows.order_by("wallet__look_at", "wallet__network", "-units")[:limit]
    wallets = HotWallet.deposits.in_bulk([row.wallet_id for row in held])
    return [_listed(wallets[row.wallet_id], row, rules) for row in held]


def _listed(wallet: HotWallet, row: LaneBalance, rules: list[SweepRule]) -> Unswept:
    least = sweeping.least_units(wallet.network, row.contract, rules)
    is_dust = least is None or row.units < least
    amount = lanes.text(wallet.network, row.contract, row.units)
    return Unswept(wallet.network, wallet.address, amount, _waits_for(wallet, row, least), is_dust)


def _waits_for(wallet: HotWallet, row: LaneBalance, least: int | None) -> str:
    under_way = Intent.objects.filter(wallet=wallet, state=IntentState.OPEN).first()
    if under_way:
        return f"its sweep: {inspection.waits_for(under_way)}"
    coming = Intent.objects.filter(purpose=Purpose.TOP_UP, network=wallet.network, to_address=wallet.address)
    top_up = coming.filter(state=IntentState.OPEN).first()
    if top_up:
        return f"coin for its fee: {inspection.waits_for(top_up)}"
    alarm = alarms.standing().filter(kind="sweep.waits", subject=f"{wallet.network}/{wallet.address}").first()
    if alarm:
        return alarm.text
    if least is None:
        return "no rule says that this asset is swept"
    if row.units < least:
        return f"more: less than {lanes.text(wallet.network, row.contract, least)} stays"
    return "its turn"
