"""Fees, approval policy and screening: rows decide, code only reads them."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chain import addresses, units
from payouts.merchants import book, settings
from payouts.merchants.models import Merchant
from payouts.withdrawals import rulebook
from payouts.withdrawals.models import Approval, Destination, PolicyRule, Status, Withdrawal
from payouts.withdrawals.tariffs import Tariff

LARGE = 10_000  # whole units of the asset from which screening says "large"


class NoFeeRule(Exception):
    """No row says what this withdrawal costs, so it is not offered."""


@dataclass(frozen=True, slots=True)
class Case:
    """What fees and policies are decided by; the address in its normal form."""

    merchant: Merchant
    api: str
    asset: str
    network: str
    amount_units: int
    channel: str = ""
    destination: str = ""
    sheet: rulebook.Sheet | None = None

    @property
    def rules(self) -> rulebook.Sheet:
        """The rows to decide by."""
        return self.sheet or rulebook.Sheet(self.merchant, self.api)


def tariff(case: Case) -> Tariff:
    """What the withdrawal costs; the merchant's own row goes before the row for everybody.

    Raises: NoFeeRule.
    """
    fitting = [row for row in case.rules.fees if (row.asset, row.network) == (case.asset, case.network)]
    rows = {row.merchant_id: row for row in fitting}
    row = rows.get(case.merchant.id) or rows.get(None)
    if row is None:
        raise NoFeeRule(f"{case.asset} on {case.network} has no fee for the {case.api} API")
    return Tariff(row.percent, int(row.flat_units))


def approval(case: Case, *, cool_down_hours: int = 0, now: datetime) -> Approval:
    """Who must approve: the first row that matches, or two levels where none does.

    What is left to the merchant needs nobody where the merchant has said yes beforehand.
    """
    asked = _first_match(case, cool_down_hours=cool_down_hours, now=now)
    if asked == Approval.MERCHANT and settings.says_yes(case.rules.settings, amount_units=case.amount_units):
        return Approval.NONE
    return asked


def _first_match(case: Case, *, cool_down_hours: int, now: datetime) -> Approval:
    standing = None  # looked up by the first row that asks for it, which few do
    for row in case.rules.policies:
        if not (_concerns(row, case) and _covers(row, case.amount_units)):
            continue
        if row.destination != Destination.ANY and standing is None:
            standing = destination(case, cool_down_hours=cool_down_hours, now=now)
        if row.destination in (Destination.ANY, standing):
            return Approval(row.approval)
    return Approval.TWO_LEVELS


def _concerns(row: PolicyRule, case: Case) -> bool:
    return row.channel in ("", case.channel) and row.asset in ("", case.asset)


def _covers(row: PolicyRule, amount_units: int) -> bool:
    return row.from_units <= amount_units and (row.to_units is None or amount_units <= row.to_units)


@dataclass(frozen=True, slots=True)
class Policy:
    """Who must approve what, of many withdrawals that differ in where to and how much alone: everything read once."""

    case: Case
    rows: Sequence[PolicyRule]
    known: frozenset[tuple[str, str]]
    ours: frozenset[str]

    @classmethod
    def read(cls, case: Case, places: AbstractSet[tuple[str, str]], *, cool_down_hours: int, now: datetime) -> "Policy":
        """Read for destinations at these places, each a network and an address in its normal form."""
        case = replace(case, sheet=rulebook.Sheet(case.merchant, case.api))
        rows = [row for row in case.rules.policies if _concerns(row, case)]
        asks = any(row.destination != Destination.ANY for row in rows)
        known = _known(case.merchant, places, cool_down_hours=cool_down_hours, now=now) if asks else frozenset()
        return cls(case, rows, known, rulebook.our_wallets())

    def approval(self, network: str, address: str, amount_units: int) -> Approval:
        """What `approval()` answers for this one."""
        asked = self._first_match((network, address) in self.known, amount_units)
        if asked == Approval.MERCHANT and settings.says_yes(self.case.rules.settings, amount_units=amount_units):
            return Approval.NONE
        return asked

    def _first_match(self, is_known: bool, amount_units: int) -> Approval:  # noqa: FBT001 - one of two columns
        standing = Destination.KNOWN if is_known else Destination.NEW
        for row in self.rows:
            if _covers(row, amount_units) and row.destination in (Destination.ANY, standing):
                return Approval(row.approval)
        return Approval.TWO_LEVELS

    def payable(self, network: str, address: str) -> None:
        """Refuse an address that the chain would not take.

        Raises: addresses.BadAddress.
        """
        if addresses.normalise(network, address) in self.ours:
            raise addresses.BadAddress("this is one of our own wallets")


def _known(
    merchant: Merchant, places: AbstractSet[tuple[str, str]], *, cool_down_hours: int, now: datetime
) -> frozenset[tuple[str, str]]:
    """Which of these places the merchant has paid to before or has in its book past the cool-down."""
    wanted = [address for _, address in places]
    paid = set(
        Withdrawal.objects.filter(merchant=merchant, destination__in=wanted, status=Status.COMPLETED)
        .values_list("destination", flat=True)
        .distinct()
    )
    booked = book.ready(merchant, cool_down_hours=cool_down_hours, now=now).filter(address__in=wanted)
    in_book = set(booked.values_list("network", "address"))
    return frozenset(place for place in places if place[1] in paid or place in in_book)


def destination(case: Case, *, cool_down_hours: int, now: datetime) -> Destination:
    """What the merchant has had to do with the address."""
    known = paid_before(case.merchant.id, case.destination) or book.holds(
        case.merchant, network=case.network, address=case.destination, cool_down_hours=cool_down_hours, now=now
    )
    return Destination.KNOWN if known else Destination.NEW


def paid_before(merchant_id: UUID, address: str) -> bool:
    """Whether a withdrawal of the merchant's to this address has been completed."""
    return Withdrawal.objects.filter(merchant_id=merchant_id, destination=address, status=Status.COMPLETED).exists()


def findings(withdrawal: Withdrawal) -> list[str]:
    """What screening has to say to the approvers, in plain words; nothing found is an empty list."""
    found = []
    if not paid_before(withdrawal.merchant_id, withdrawal.destination):
        found.append("first withdrawal to this address")
    if withdrawal.amount_units >= LARGE * 10 ** units.places(withdrawal.asset):
        found.append(f"large: {units.text(withdrawal.asset, int(withdrawal.amount_units), 2)} {withdrawal.asset}")
    if (problem := address_problem(withdrawal)) is not None:
        found.append(f"this address cannot be paid ({problem}): nothing will ever be sent to it")
    return found


def address_problem(withdrawal: Withdrawal) -> str | None:
    """Why the chain would refuse the destination, or None when it may be paid."""
    try:
        payable(withdrawal.network, withdrawal.destination)
    except addresses.BadAddress as error:
        return str(error)
    return None


def payable(network: str, text: str, *, is_ours: Callable[[str], bool] = rulebook.is_ours) -> str:
    """The address in its normal form, when the chain will take an order to it.

    Raises: addresses.BadAddress.
    """
    address = addresses.normalise(network, text)
    if is_ours(address):  # transfers.order refuses it too, but then it hangs APPROVED
        raise addresses.BadAddress("this is one of our own wallets")
    return address
