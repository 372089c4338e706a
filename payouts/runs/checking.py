"""Looking at every row before anything moves: address, amount, network, limits, address book, told twice."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chain import addresses, networks, units
from payouts.merchants.models import Merchant
from payouts.runs.models import RunRow
from payouts.runs.reading import NOT_EXACT, Raw
from payouts.withdrawals import limits, rulebook, rules
from payouts.withdrawals.tariffs import Tariff

AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
PLAIN = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]*")  # a reference is one line of text
SPELLINGS: Mapping[str, str] = {"trc20": "tron", "trx": "tron", "erc20": "ethereum", "eth": "ethereum", "bep20": "bsc"}
LONGEST_REFERENCE = 64
SHOWN = 64  # characters of a cell that are kept of what cannot be used


class Faulty(Exception):
    """What is wrong with a row, for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a run's rows are checked against, read once."""

    merchant: Merchant
    api: str
    asset: str
    tariffs: Mapping[str, Tariff | None]  # by network; None where it is not offered
    most_units: int | None  # of one payment
    ours: frozenset[str]  # addresses of our own wallets
    book: frozenset[tuple[str, str]] | None  # network and address; None where any address is paid


@dataclass(slots=True)
class Totals:
    """What was counted on the way."""

    rows: int = 0
    faulty: int = 0
    units: int = 0
    fee_units: int = 0
    seen: set[bytes] = field(default_factory=set)


def case(merchant: Merchant, *, api: str, asset: str, now: datetime) -> Case:
    """Everything that rows are compared with."""
    kept = limits.of(merchant, api=api, asset=asset)
    return Case(
        merchant=merchant,
        api=api,
        asset=asset,
        tariffs={name: _tariff(rules.Case(merchant, api, asset, name, 0)) for name in networks.NETWORKS},
        most_units=kept.payment_units,
        ours=rulebook.our_wallets(),
        book=limits.book(kept, merchant, now=now) if kept.book_only else None,
    )


def _tariff(of: rules.Case) -> Tariff | None:
    try:
        return rules.tariff(of)
    except rules.NoFeeRule:
        return None


def row(raw: Raw, *, of: Case, run_id: UUID, row_id: UUID, totals: Totals) -> RunRow:
    """The row with what it means, or with its fault."""
    made = RunRow(
        id=row_id,
        run_id=run_id,
        number=raw.number,
        address_text=raw.address[:SHOWN].replace("\x00", ""),
        amount_text=raw.amount[:SHOWN].replace("\x00", ""),
        network_text=raw.network[:32].replace("\x00", ""),
        reference=raw.reference[:LONGEST_REFERENCE] if PLAIN.fullmatch(raw.reference) else "",
    )
    totals.rows += 1
    try:
        network, destination, amount_units, fee_units = _understood(raw, of)
        _once(network, destination, amount_units, raw.reference, totals)
    except Faulty as fault:
        made.fault = str(fault)
        totals.faulty += 1
        return made
    made.network, made.destination, made.amount_units = network, destination, Decimal(amount_units)
    totals.units += amount_units
    totals.fee_units += fee_units
    return made


def _understood(raw: Raw, of: Case) -> tuple[str, str, int, int]:
    if len(raw.reference) > LONGEST_REFERENCE or not PLAIN.fullmatch(raw.reference):
        raise Faulty(f"a reference is one line of at most {LONGEST_REFERENCE} characters")
    network, tariff = _network(raw.network, of)
    destination = _destination(network, raw.address, of)
    amount_units = _amount_units(raw.amount, of)
    fee_units = tariff.fee(amount_units).units
    if amount_units <= fee_units:
        raise Faulty("the amount must exceed the fee")
    try:
        units.to_token_units(network, of.asset, amount_units - fee_units)
    except units.BadAmount as bad:
        raise Faulty(f"bad amount: {bad}") from bad
    return network, destination, amount_units, fee_units


def _network(text: str, of: Case) -> tuple[str, Tariff]:
    name = text.strip().lower()
    name = SPELLINGS.get(name, name)
    tariff = of.tariffs.get(name)
    if tariff is None:
        offered = sorted(name for name, row in of.tariffs.items() if row is not None)
        raise Faulty(f"{of.asset} is not paid on this network; it is on {', '.join(offered) or 'none'}")
    return name, tariff


def _destination(network: str, text: str, of: Case) -> str:
    try:
        address = addresses.normalise(network, text)
    except addresses.BadAddress as bad:
        if not (of.merchant.is_test and addresses.looks_right(network, text)):
            raise Faulty(f"not an address that {network} pays to: {bad}") from bad
        address = text
    if address in of.ours:
        raise Faulty("this is one of our own wallets")
    if of.book is not None and (network, address) not in of.book:
        raise Faulty("not in the address book, or its cool-down is not over")
    return address


def _amount_units(text: str, of: Case) -> int:
    if text == NOT_EXACT:
        raise Faulty("more digits than a spreadsheet's number holds: format the cell as text")
    if not AMOUNT.fullmatch(text):
        raise Faulty("the amount is a plain number, such as 2500 or 0.50")
    try:
        amount_units = units.to_units(of.asset, Decimal(text))
    except units.BadAmount as bad:
        raise Faulty(f"bad amount: {bad}") from bad
    if of.most_units is not None and amount_units > of.most_units:
        raise Faulty("above the limit of one withdrawal")
    return amount_units


def _once(network: str, destination: str, amount_units: int, reference: str, totals: Totals) -> None:
    """Refuse a payment that the run asks for twice; two references make two payments of it."""
    told = "\x1f".join((network, destination, str(amount_units), reference)).encode()
    mark = hashlib.blake2b(told, digest_size=16).digest()
    if mark in totals.seen:
        raise Faulty("the same address, amount and reference as a row above")
    totals.seen.add(mark)
