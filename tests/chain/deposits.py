"""Deposit addresses of the test's own keystore, paid on the local chains and noted as crediting does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import bip32
from django.db import transaction
from django.utils import timezone
from eth_keys import datatypes as secp256k1

from chain import addresses, families, keys, networks, transfers
from chain.models import HotWallet, Intent, SignedAttempt
from tests.chain import labs

LATER = timedelta(seconds=60)  # every deposit has been left alone for long enough by then


def address(network: str, number: int) -> str:
    """What the web process derives from the public half."""
    _, xpub = keys.deposit_xpub(network, light=True)
    compressed = bip32.BIP32.from_xpub(xpub).get_pubkey_from_path([addresses.RECEIVING, number])
    return addresses.from_bytes(network, secp256k1.PublicKey.from_compressed_bytes(compressed).to_canonical_address())


def tokens(lab: labs.Lab, to: str, units: int) -> None:
    """A customer pays."""
    if isinstance(lab, labs.EvmLab):
        lab.move(labs.OWNER, to, units=units)
    elif isinstance(lab, labs.TronLab):
        lab.ask("dev/mint", address=to, units=units)
        lab.mine()


def coin(lab: labs.Lab, to: str, units: int) -> None:
    """The same in the network's coin, on top of what is there."""
    if isinstance(lab, labs.EvmLab):
        lab.rpc("anvil_setBalance", to, hex(held_coin(lab, to) + units))
    elif isinstance(lab, labs.TronLab):
        lab.ask("dev/credit", address=to, sun=units)
        lab.mine()


def held_coin(lab: labs.Lab, of: str) -> int:
    """What the address has now."""
    if isinstance(lab, labs.EvmLab):
        return int(lab.rpc("eth_getBalance", of, "latest"), 16)
    assert isinstance(lab, labs.TronLab)
    account = (b"\x41" + addresses.account_bytes("tron", of)).hex()
    return int(lab.ask("wallet/getaccount", address=account).get("balance", 0))


def note(network: str, number: int, *, now: datetime | None = None) -> HotWallet:
    """Its deposits up to the final block are credited."""
    block = families.gateway(network).head().final_number
    return noted(network, address(network, number), number=number, block=block, now=now or timezone.now())


def noted(network: str, of: str, *, number: int, now: datetime, block: int = 1) -> HotWallet:
    """The lane that crediting leaves behind."""
    with transaction.atomic():
        transfers.note_deposits([transfers.Noted(network, of, number, block)], now=now)
    return HotWallet.deposits.get(network=network, address=of)


def paid(lab: labs.Lab, number: int, *, units: int) -> HotWallet:
    """A deposit address to which a customer has paid tokens, finally and credited."""
    tokens(lab, address(lab.network, number), units)
    labs.finalise(lab)
    return note(lab.network, number)


@dataclass
class House:
    """The sweeps that move deposits, with a clock that goes on."""

    lab: labs.Lab
    now: datetime

    def look(self, *, limit: int = 20) -> int:
        """Order what is due."""
        self.now += LATER
        return transfers.sweep_due(now=self.now, limit=limit)

    def sign(self) -> list[SignedAttempt]:
        """Sign what is ordered, each with what the signer's sweep would compare it with."""
        self.now += LATER
        made = []
        for intent in transfers.awaiting_signature(limit=100, now=self.now):
            expected: transfers.Expected = transfers.Sweep(intent.network, intent.asset)
            if intent.purpose == "topup":
                expected = transfers.TopUp(intent.network, intent.amount_units)
            attempt = transfers.sign(intent.id, expected=expected, now=self.now)
            made += [attempt] if attempt else []
        return made

    def chain(self) -> None:
        """Send, confirm, watch."""
        transfers.send_due(now=self.now, limit=100)
        labs.finalise(self.lab)
        self.now += LATER
        transfers.watch_due(now=self.now, limit=100)

    def run(self, *, rounds: int = 8) -> None:
        """Until nothing more is ordered."""
        for _ in range(rounds):
            self.look()
            self.sign()
            self.chain()
            if not HotWallet.deposits.exclude(look_at=None).exists():
                return

    def until_swept(self) -> None:
        """Until a sweep is ordered, and no further."""
        while not self.tokens():
            self.sign()
            self.chain()
            self.look()

    def top_ups(self) -> list[Intent]:
        """Coin for deposit addresses, oldest first."""
        return list(Intent.objects.filter(purpose="topup").order_by("created_at", "id"))

    def tokens(self) -> list[Intent]:
        """Sweeps of tokens: where fees stay high, what is left of the coin is worth a sweep of its own."""
        return list(Intent.objects.filter(purpose="sweep").exclude(contract="").order_by("created_at", "id"))


def house(lab: labs.Lab) -> House:
    """Its clock begins now."""
    return House(lab, timezone.now())


def coin_of(network: str) -> str:
    """The native coin's asset."""
    return networks.network(network).coin
