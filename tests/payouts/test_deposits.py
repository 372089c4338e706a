"""Deposit addresses and what comes in there: derived without a private key, and booked once for merchant and user."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bip32
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from eth_account.hdaccount.deterministic import HDPath
from eth_keys import datatypes as secp256k1

from chain import addresses, transfers
from ledger import audit, posting
from payouts.payments import addresses as deposit_addresses
from payouts.payments import crediting
from payouts.payments.models import DepositAddress, ExtendedKey
from tests import make
from tests.api import users

NETWORKS = [*users.PATHS]


@pytest.mark.django_db
@pytest.mark.parametrize("network", NETWORKS)
def test_an_address_is_the_one_that_the_private_keys_derive(network: str) -> None:
    """Another library, from the private side: the money that comes in can be spent."""
    users.enrol_keys()
    merchant = make.merchant()
    owner = uuid.uuid4()
    address = deposit_addresses.provide(merchant, owner=owner, network=network, now=make.now())
    number = DepositAddress.objects.get(owner=owner).number
    private = HDPath(f"{users.PATHS[network]}/0/{number}").derive(users.SEED)
    account = secp256k1.PrivateKey(private).public_key.to_canonical_address()
    assert address == addresses.from_bytes(network, account) == addresses.normalise(network, address)
    assert deposit_addresses.provide(merchant, owner=owner, network=network, now=make.now()) == address


def test_bip_32s_own_vector_is_derived() -> None:
    """Source: BIP-32, test vector 2: from the key of m, the child m/0."""
    master = (
        "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6m"
        "r8BDzTJY47LJhkJ8UB7WEGuduB"
    )
    child = (
        "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDzne"
        "zpbZb7ap6r1D3tgFxHmwMkQTPH"
    )
    assert bip32.BIP32.from_xpub(master).get_xpub_from_path([0]) == child


def test_many_at_once_never_share_an_address_nor_get_two(committed: object) -> None:
    users.enrol_keys()
    merchant = make.merchant()
    owners = [uuid.uuid4() for _ in range(6)]

    def provide(owner: uuid.UUID) -> str:
        try:
            return deposit_addresses.provide(merchant, owner=owner, network="tron", now=make.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(owners * 4, pool.map(provide, owners * 4), strict=True))
    assert len(set(found.values())) == len(owners)
    assert DepositAddress.objects.count() == len(owners)


@pytest.mark.django_db
def test_the_signer_alone_makes_the_keys_and_the_database_gets_the_public_half(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.KEYSTORE_DIR = tmp_path / "keystore"
    settings.KEYSTORE_PASSPHRASE_FILE = str(tmp_path / "passphrase")
    Path(settings.KEYSTORE_PASSPHRASE_FILE).write_text("correct horse")
    with pytest.raises(CommandError, match="no business with keys"):
        call_command("deposit_key", "--network", "tron", "--light")
    settings.ROLE = "signer"
    for _ in range(2):
        call_command("deposit_key", "--network", "tron", "--light")
    first, second = capsys.readouterr().out.split()
    file = settings.KEYSTORE_DIR / "tron-deposits.json"
    assert first == second == ExtendedKey.objects.get().xpub
    assert first.startswith("xpub")
    assert "xprv" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    with pytest.raises(CommandError, match="another extended key"):
        call_command("deposit_key", "--network", "tron", "--light")
    settings.IS_LOCAL = False
    with pytest.raises(transfers.KeyUnusable, match="local"):
        transfers.deposit_xpub("ethereum", light=True)


@pytest.mark.django_db
def test_without_the_public_half_no_wallet_is_made() -> None:
    merchant = make.merchant()
    with pytest.raises(deposit_addresses.NoExtendedKey):
        users.wallet(merchant, "user-1")
    assert not merchant.user_wallets.exists()


@pytest.mark.django_db
def test_a_deposit_is_booked_once_for_the_merchant_and_for_the_user() -> None:
    users.enrol_keys()
    merchant = make.merchant()
    wallet = users.wallet(merchant, users.USER)
    deposit: dict[str, Any] = {"deposit_id": uuid.uuid4(), "network": "tron", "asset": "USDT", "reference": "txid"}
    for _ in range(2):
        crediting.credit(wallet, amount_units=make.usdt("12.5"), **deposit)
    assert users.owed(merchant) == (make.usdt("12.5"), 0)
    held = make.holds(merchant)
    assert (held["available"], held["external/tron"], held["memo_contra"]) == (
        make.usdt("12.5"),
        -make.usdt("12.5"),
        -make.usdt("12.5"),
    )
    with pytest.raises(posting.IdempotencyConflict):
        crediting.credit(wallet, amount_units=make.usdt("13"), **deposit)
    assert audit.prove().problems == []
