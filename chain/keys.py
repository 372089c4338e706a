"""The only reader of private keys: keystore v3 files, opened by the signer process alone.

A key lives in `<KEYSTORE_DIR>/<network>-<address>.json`; the passphrase of all of them is the content of
KEYSTORE_PASSPHRASE_FILE, or KEYSTORE_PASSPHRASE itself. The deposit addresses of one network hang on one seed,
`<network>-deposits.json`. Nothing here returns a key, only signatures and public halves.
"""

import json
import os
import secrets
from pathlib import Path

import bip32
from django.conf import settings
from eth_keys import datatypes as secp256k1

from chain import addresses, gateway, networks
from chain.evm.libraries import Account

DEPOSIT_PATHS = {"evm": "m/44'/60'/0'", "tron": "m/44'/195'/0'"}  # by family. Source: BIP-44, SLIP-44
LIGHT_SCRYPT_N = 4096  # local and test wallets only: it opens in a few milliseconds
_opened: dict[Path, secp256k1.PrivateKey] = {}  # scrypt takes a second on purpose: once per process is enough
_trees: dict[Path, bip32.BIP32] = {}  # the same of the deposit seeds


class KeyUnusable(Exception):
    """There is no key for that wallet, the passphrase is wrong, or the file holds another wallet's key."""


class NotTheSigner(KeyUnusable):
    """This process has no business with keys."""


def create(network: str, *, light: bool = False) -> str:
    """Make a new key, keep it in the keystore and return its address in the network's form.

    `light` weakens the passphrase's stretching and is refused outside the local environment.

    Raises: NotTheSigner, KeyUnusable without a passphrase file, UnknownNetwork.
    """
    _require_signer()
    key = secp256k1.PrivateKey(secrets.token_bytes(32))
    address = _address(network, key)
    _keep(_file(network, address), key.to_bytes(), light=light)
    return address


def deposit_xpub(network: str, *, light: bool = False) -> tuple[str, str]:
    """The path and extended public key of the network's deposit addresses; the first call makes their seed.

    Raises: NotTheSigner, KeyUnusable, UnknownNetwork.
    Source: BIP-32, "Master key generation"; BIP-44.
    """
    _require_signer()
    path = DEPOSIT_PATHS[networks.network(network).family]
    file = _file(network, "deposits")
    if not file.exists():
        _keep(file, secrets.token_bytes(32), light=light)
        _trees.pop(file, None)
    return path, str(_tree(network).get_xpub_from_path(path))


def holds(network: str, address: str) -> bool:
    """Whether this keystore has the key of that hot wallet: nobody can put one there by way of the database.

    Raises: NotTheSigner, BadAddress.
    """
    _require_signer()
    return _file(network, addresses.normalise(network, address)).exists()


def derives(network: str, *, address: str, number: int | None) -> bool:
    """Whether that is the deposit address with this number below the network's seed.

    Raises: NotTheSigner, KeyUnusable.
    """
    _require_signer()
    return number is not None and _address(network, _derived(network, number)) == address


def sign_digest(network: str, *, address: str, digest: bytes, number: int | None = None) -> gateway.Signature:
    """Sign 32 bytes with that wallet's key (deterministic, RFC 6979: the same payload gives the same bytes).

    A deposit address has a number, and its key is derived.

    Raises: NotTheSigner, KeyUnusable.
    """
    _require_signer()
    signature = _open(network, address, number).sign_msg_hash(digest)
    return gateway.Signature(r=signature.r, s=signature.s, parity=signature.v)


def _require_signer() -> None:
    if settings.ROLE != "signer":
        raise NotTheSigner(f"a {settings.ROLE} process has no business with keys")


def _open(network: str, address: str, number: int | None) -> secp256k1.PrivateKey:
    if number is not None:
        key = _derived(network, number)
        if _address(network, key) != address:
            raise KeyUnusable(f"{address} is not the deposit address with number {number}")
        return key
    file = _file(network, address)
    if file not in _opened:
        try:
            key = secp256k1.PrivateKey(_unsealed(file))
        except ValueError as wrong:
            raise KeyUnusable(f"the key of {address} does not open") from wrong
        if _address(network, key) != address:
            raise KeyUnusable(f"the file of {address} holds another wallet's key")
        _opened[file] = key
    return _opened[file]


def _derived(network: str, number: int) -> secp256k1.PrivateKey:
    """The private key of the deposit address with this number. Source: BIP-32; BIP-44."""
    path = f"{DEPOSIT_PATHS[networks.network(network).family]}/{addresses.RECEIVING}/{number}"
    return secp256k1.PrivateKey(_tree(network).get_privkey_from_path(path))


def _tree(network: str) -> bip32.BIP32:
    file = _file(network, "deposits")
    if file not in _trees:
        _trees[file] = bip32.BIP32.from_seed(_unsealed(file))
    return _trees[file]


def _address(network: str, key: secp256k1.PrivateKey) -> str:
    return addresses.from_bytes(network, key.public_key.to_canonical_address())


def _keep(file: Path, secret: bytes, *, light: bool) -> None:
    """Seal 32 bytes into a file that is not there yet."""
    if light and not settings.IS_LOCAL:
        raise KeyUnusable("light keys are for the local default")
    sealed = Account.encrypt(secret, _passphrase(), kdf="scrypt", iterations=LIGHT_SCRYPT_N if light else None)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(sealed, opened)


def _unsealed(file: Path) -> bytes:
    try:
        sealed = json.loads(file.read_text())
    except (OSError, ValueError) as wrong:
        raise KeyUnusable(f"no readable key in {file.name}") from wrong
    try:
        return bytes(Account.decrypt(sealed, _passphrase()))
    except (ValueError, KeyError) as wrong:
        raise KeyUnusable(f"{file.name} does not open") from wrong


def _file(network: str, address: str) -> Path:
    return Path(settings.KEYSTORE_DIR) / f"{network}-{address}.json"


def _passphrase() -> str:
    if settings.KEYSTORE_PASSPHRASE:
        return str(settings.KEYSTORE_PASSPHRASE)
    try:
        passphrase = Path(settings.KEYSTORE_PASSPHRASE_FILE).read_text().strip()
    except OSError as wrong:
        raise KeyUnusable("KEYSTORE_PASSPHRASE_FILE cannot be read") from wrong
    if not passphrase:
        raise KeyUnusable("KEYSTORE_PASSPHRASE_FILE is empty")
    return passphrase
