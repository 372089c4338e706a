"""Take what is final on chain into the books: once each, with the payment or the user that it was meant for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chain import incoming, transfers, units
from chain.failpoints import committing, failpoint
from chain.models import Incoming
from ledger import balances, bulk
from ledger.accounts import Purpose
from ledger.posting import Movement
from payouts.currencies.models import CurrencyLimit
from payouts.merchants.user_models import UserWallet
from payouts.payments import crediting, payments, wallets
from payouts.payments.models import DepositAddress
from payouts.payments.payment_models import Deposit, Payment
from payouts.webhooks import endpoints, outbox

EVENT = "deposit.completed"  # told to the API of users' wallets
USERS_API = "public"
DUST = 1000  # less than this part of the smallest payment is dust
UNKNOWN_TOKEN, TOO_LITTLE = "a token that is not in our catalogue", "too little to be booked"


@dataclass(frozen=True, slots=True)
class Whose:
    """Who is behind some addresses: payments by their ids (their rows locked), wallets by theirs."""

    addresses: Mapping[tuple[str, str], DepositAddress]
    payments: Mapping[UUID, Payment]
    wallets: Mapping[UUID, UserWallet]
    dust_units: Mapping[tuple[str, str], int]  # by asset and network: what is less is not booked


def book(incoming_id: UUID, *, now: datetime) -> list[Deposit]:
    """Book one; nothing where somebody has booked it."""
    return book_together([incoming_id], now=now)


def book_together(incoming_ids: Collection[UUID], *, now: datetime) -> list[Deposit]:
    """Book what came in, all in one transaction: balances, payments' steps, messages, and that it is booked.

    Raises: posting.LedgerRefused.
    """
    with committing("deposit"):
        rows = incoming.locked(incoming_ids)
        whose = _whose(rows)
        made = [_deposit(row, whose, now=now) for row in rows]
        taking = payments.Taking(now=now)
        for one in made:
            if one.payment:
                one.fee_units = payments.receive(
                    taking, one.payment, amount_units=one.amount_units, at=one.block_at, deposit=str(one.id)
                )
        taking.write()
        credited = [one for one in made if one.status == Deposit.Status.CREDITED]
        Deposit.objects.bulk_create(made)
        bulk.post_many([movement for one in credited for movement in _movements(one, whose)])
        _tell([one for one in credited if one.wallet], now=now)
        _lanes(made, now=now)
        failpoint("deposit.before_collect")
        incoming.collect([row.id for row in rows], now=now)
    return made


def _whose(rows: Sequence[Incoming]) -> Whose:
    found = DepositAddress.objects.select_related("merchant").filter(address__in={row.recipient for row in rows})
    addresses = {(one.network, str(one.address)): one for one in found}
    owners = {addresses[row.network, row.recipient].owner for row in rows}
    asked = Payment.objects.filter(id__in=owners).values_list("id", flat=True)
    users = UserWallet.objects.select_related("merchant").in_bulk(owners)
    least = CurrencyLimit.objects.values_list("asset", "network", "payment_min_units")
    dust_units = {(asset, network): max(int(units) // DUST, 1) for asset, network, units in least}
    return Whose(addresses, payments.locked(asked), users, dust_units)


def _deposit(row: Incoming, whose: Whose, *, now: datetime) -> Deposit:
    address = whose.addresses[row.network, row.recipient]
    made = Deposit(
        id=row.id,
        merchant=address.merchant,
        address=address,
        network=row.network,
        asset=row.asset,
        contract=row.contract,
        txid=row.txid,
        amount_units=row.amount_units,
        status=Deposit.Status.IGNORED,
        reason=UNKNOWN_TOKEN,
        block_number=row.block_number,
        block_at=row.block_at,
        created_at=now,
    )
    if not row.asset:
        return made
    made.amount_units = units.to_ledger_units(row.network, row.asset, row.amount_units)
    if made.amount_units < whose.dust_units.get((row.asset, row.network), 1):
        made.reason = TOO_LITTLE
        return made
    made.status, made.reason = Deposit.Status.CREDITED, ""
    made.wallet = whose.wallets.get(address.owner)
    payment = whose.payments.get(address.owner)
    made.payment = payment if payment and payment.asset == row.asset else None
    return made


def _lanes(made: Sequence[Deposit], *, now: datetime) -> None:
    """Tell the chain room where there is something to be swept; dust of a known token lies there, too."""
    rows = sorted((one for one in made if one.asset), key=lambda one: one.block_number)
    newest = {(one.network, str(one.address.address)): one for one in rows}
    noted = [
        transfers.Noted(network, address, one.address.number, one.block_number)
        for (network, address), one in newest.items()
    ]
    transfers.note_deposits(noted, now=now)


def _movements(made: Deposit, whose: Whose) -> list[Movement]:
    payment = whose.payments.get(made.address.owner)
    return crediting.movements(made, owner=payment.owner if payment else made.merchant_id)


def _tell(made: Sequence[Deposit], *, now: datetime) -> None:
    """Tell of users' deposits: where the user's wallet says, else where the merchant listens."""
    owed = balances.of({wallets.memo(one.wallet, one.asset, Purpose.MEMO) for one in made if one.wallet})
    callbacks: dict[tuple[UUID, str], UUID | None] = {}
    tellings = []
    for one in made:
        wallet = one.wallet
        if wallet is None:
            continue
        key = wallet.merchant_id, wallet.callback_url
        if key not in callbacks:
            callbacks[key] = _callback(wallet, now=now)
        balance = owed[wallets.memo(wallet, one.asset, Purpose.MEMO)]
        tellings.append(
            outbox.Telling(
                merchant_id=wallet.merchant_id,
                api=USERS_API,
                event=EVENT,
                subject_id=one.id,
                data=snapshot(one, wallet) | {"balance_units": str(balance.balance_units)},
                endpoint_id=callbacks[key],
            )
        )
    outbox.add_all(tellings, now=now)


def _callback(wallet: UserWallet, *, now: datetime) -> UUID | None:
    if not wallet.callback_url:
        return None
    try:
        found = endpoints.callback(wallet.merchant, api=USERS_API, url=wallet.callback_url, events=[EVENT], now=now)
    except endpoints.BadUrl:  # it was a good one when the wallet was made: then the merchant's own URL is told
        return None
    return found.id


def snapshot(made: Deposit, wallet: UserWallet) -> dict[str, Any]:
    """Every fact of a user's deposit that a webhook shows; amounts in ledger units as text, moments in ISO 8601."""
    return {
        "id": str(made.id),
        "user_id": wallet.user_id,
        "asset": made.asset,
        "network": made.network,
        "address": str(made.address.address),
        "txid": made.txid,
        "amount_units": str(made.amount_units),
        "fee_units": str(made.fee_units),
        "block_at": made.block_at.isoformat(),
        "created_at": made.created_at.isoformat(),
    }
