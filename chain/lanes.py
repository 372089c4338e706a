"""Which lane pays: funded for the asset and with gas, not paused, and of those the one with the least to do.

What a lane may still spend is what it held at a final block (`LaneBalance`, read by a sweep) less everything that was
ordered from it and is not contained in that block: open payments, and decided ones that landed in a later block. Money
that arrives counts once its block is final; money that leaves counts from the order on. No node is asked here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet, Sum

from chain import networks, units
from chain.models import HotWallet, Intent, IntentState, LaneBalance


class NoLane(Exception):
    """No wallet of that network can pay this now; the payout waits."""


@dataclass(frozen=True, slots=True)
class Fund:
    """One asset of a lane. Units: what the network's chain counts in."""

    asset: str
    held_units: int
    owed_units: int  # ordered, and not yet gone from what is held; the fees of all open payments in the coin's

    @property
    def free_units(self) -> int:
        """What may still be ordered; below zero it is what is missing."""
        return self.held_units - self.owed_units


@dataclass(frozen=True, slots=True)
class Lane:
    """What one lane can do now; `funds` by contract."""

    wallet_id: int
    network: str
    address: str
    paused: bool
    open_payments: int
    fee_units: int  # the most that one more payment may cost, in the native coin
    funds: Mapping[str, Fund] = field(default_factory=dict)

    def can_pay(self, contract: str, amount_units: int) -> bool:
        """Tell whether it may take one more order of this amount (of an anchor: of nothing)."""
        return not self.paused and amount_units <= self.reach_units(contract)

    def reach_units(self, contract: str) -> int:
        """The largest order that it can take now; below zero: none.

        An EVM lane that owes more than it holds of anything takes nothing more: its nonces go one after the other, so
        that whatever came behind the unfunded payment would wait with it. On TRON the other assets go on.
        """
        coin, fund = self.funds.get(networks.NATIVE), self.funds.get(contract)
        if coin is None or fund is None or coin.free_units < self.fee_units:
            return -1
        in_line = networks.network(self.network).family == "evm"
        if in_line and any(other.free_units < 0 for other in self.funds.values()):
            return -1
        return fund.free_units - (self.fee_units if contract == networks.NATIVE else 0)

    def ordered(self, contract: str, amount_units: int) -> "Lane":
        """The lane as it would be with this order."""
        funds = dict(self.funds)
        for of, owed_units in ((contract, amount_units), (networks.NATIVE, self.fee_units)):
            funds[of] = replace(funds[of], owed_units=funds[of].owed_units + owed_units)
        return replace(self, funds=funds, open_payments=self.open_payments + 1)


def all_of(network: str, *, wallets: Collection[int] | None = None) -> list[Lane]:
    """Every lane of the network (or those of these wallets), in the order of their enrolment."""
    rows = HotWallet.objects.filter(network=network).order_by("id")
    return of(rows if wallets is None else rows.filter(pk__in=wallets))


def of(rows: QuerySet[HotWallet]) -> list[Lane]:
    """These wallets as lanes, deposit addresses too."""
    balances: dict[int, list[LaneBalance]] = {}
    for balance in LaneBalance.objects.filter(wallet__in=[row.pk for row in rows]).order_by("contract"):
        balances.setdefault(balance.wallet_id, []).append(balance)
    owed = _owed({pk: held[0].block_number for pk, held in balances.items()})
    return [_lane(row, balances.get(row.pk, []), owed.get(row.pk, {})) for row in rows]


def choose(lanes: Iterable[Lane], *, contract: str, amount_units: int) -> Lane | None:
    """The lane with the fewest open payments of those that can pay; of equals the one that holds most."""
    able = [lane for lane in lanes if lane.can_pay(contract, amount_units)]
    return min(able, key=lambda one: (one.open_payments, -one.reach_units(contract), one.wallet_id), default=None)


def reach_units(network: str, asset: str) -> int:
    """The largest payment that some lane can take now; below zero: no lane takes any.

    Units: the asset's ledger units.
    Raises: UnknownNetwork.
    """
    contract = networks.token(network, asset).contract
    most = max((lane.reach_units(contract) for lane in all_of(network) if not lane.paused), default=-1)
    return units.to_ledger_units(network, asset, most)


def fitting(network: str, asset: str, amounts_units: Iterable[int]) -> list[bool]:
    """Which of these payments the lanes can take now, one after the other: what does not fit is passed over.

    Units: the asset's ledger units.
    Raises: UnknownNetwork.
    """
    contract = networks.token(network, asset).contract
    left = {lane.wallet_id: lane for lane in all_of(network)}
    fits = []
    for amount_units in amounts_units:
        token_units = units.to_token_units(network, asset, amount_units)
        chosen = choose(left.values(), contract=contract, amount_units=token_units)
        fits.append(chosen is not None)
        if chosen:
            left[chosen.wallet_id] = chosen.ordered(contract, token_units)
    return fits


def take(network: str, *, contract: str, amount_units: int, wallets: Collection[int] | None = None) -> HotWallet:
    """Lock the network's lanes (or those of these wallets) and pick the one that pays, until the transaction's end.

    Raises: NoLane.
    """
    return take_all(network, [(contract, amount_units)], wallets=wallets)[0]


def take_all(
    network: str, orders: Sequence[tuple[str, int]], *, wallets: Collection[int] | None = None
) -> list[HotWallet]:
    """The same for many orders, each a contract and an amount, one after the other.

    All lanes are locked, in the order of their ids: so two takers never wait for each other, and both see what the
    other took.

    Raises: NoLane when one of them finds none.
    """
    rows = HotWallet.objects.select_for_update(no_key=True).filter(network=network, paused=False).order_by("id")
    locked = {row.pk: row for row in rows if wallets is None or row.pk in wallets}
    left = {lane.wallet_id: lane for lane in all_of(network, wallets=locked)}
    taken = []
    for contract, amount_units in orders:
        chosen = choose(left.values(), contract=contract, amount_units=amount_units)
        if chosen is None:
            raise NoLane(f"no wallet can pay that on {network} now")
        left[chosen.wallet_id] = chosen.ordered(contract, amount_units)
        taken.append(locked[chosen.wallet_id])
    return taken


def covers(intent: Intent) -> bool:
    """Tell whether its lane holds what this payment and those before it need; otherwise its bytes would only fail.

    A payment that was ordered from a lane that ran dry since then waits unsigned, with its place in the line.
    """
    balances = list(LaneBalance.objects.filter(wallet=intent.wallet_id))
    if not balances:
        return False
    owed = _owed({intent.wallet_id: balances[0].block_number}, up_to=intent.seq).get(intent.wallet_id, {})
    lane = _lane(intent.wallet, balances, owed)
    return all(
        contract in lane.funds and lane.funds[contract].free_units >= 0
        for contract in {networks.NATIVE, intent.contract, *intent.payments.values_list("contract", flat=True)}
    )


def solvent(wallets: Collection[int]) -> set[tuple[int, str]]:
    """Of which contracts these lanes hold enough for all that they owe, the coin for the fees included."""
    networks_of = HotWallet.objects.filter(pk__in=wallets).values_list("network", flat=True).distinct()
    found = [lane for network in networks_of for lane in all_of(network, wallets=wallets)]
    return {
        (lane.wallet_id, contract)
        for lane in found
        for contract, fund in lane.funds.items()
        if fund.free_units >= 0 and networks.NATIVE in lane.funds and lane.funds[networks.NATIVE].free_units >= 0
    }


def asset(network: str, contract: str) -> str:
    """What that contract's asset is called; the coin under its own name."""
    return next(name for name, token in networks.network(network).assets.items() if token.contract == contract)


def coins(network: str, contract: str, amount_units: int) -> Decimal:
    """What the chain counts, in whole coins."""
    return Decimal(amount_units).scaleb(-networks.token(network, asset(network, contract)).decimals)


def text(network: str, contract: str, amount_units: int) -> str:
    """An amount as people read it, without closing zeros."""
    name = asset(network, contract)
    scale = networks.token(network, name).decimals
    whole, fraction = divmod(abs(amount_units), 10**scale)
    digits = f"{fraction:0{scale}d}".rstrip("0")
    return f"{'-' if amount_units < 0 else ''}{whole:,}{'.' + digits if digits else ''} {name}"


def _owed(since: Mapping[int, int], *, up_to: int | None = None) -> dict[int, dict[str, tuple[int, int, int]]]:
    """By wallet and contract: units not yet gone at the wallet's block, those payments, and the open ones of them."""
    if not since:
        return {}
    landed_later = (Q(wallet=pk, landed_block__gt=number) for pk, number in since.items())
    rows = Intent.objects.filter(reduce(or_, landed_later, Q(state=IntentState.OPEN)), wallet__in=list(since))
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    owed: dict[int, dict[str, tuple[int, int, int]]] = {}
    is_open = Q(state=IntentState.OPEN)
    leaves = ~Q(state=IntentState.DEAD)
    for wallet, contract, owed_units, number, opened in (
        rows.values("wallet", "contract")
        .annotate(units=Sum("amount_units", filter=leaves), number=Count("id"), opened=Count("id", filter=is_open))
        .values_list("wallet", "contract", "units", "number", "opened")
    ):
        owed.setdefault(wallet, {})[contract] = (int(owed_units or 0), number, opened)
    return owed


def _lane(row: HotWallet, balances: Collection[LaneBalance], owed: Mapping[str, tuple[int, int, int]]) -> Lane:
    fee_units = max((balance.fee_units for balance in balances), default=0)
    fees_units = fee_units * sum(number for _, number, _ in owed.values())
    funds = {}
    for balance in balances:
        token_units, _, _ = owed.get(balance.contract, (0, 0, 0))
        owed_units = token_units + (fees_units if balance.contract == networks.NATIVE else 0)
        funds[balance.contract] = Fund(balance.asset, balance.units, owed_units)
    open_payments = sum(opened for _, _, opened in owed.values())
    return Lane(row.pk, row.network, row.address, row.paused, open_payments, fee_units, funds)
