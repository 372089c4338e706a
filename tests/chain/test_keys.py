"""Wallet keys: in files, under a passphrase, opened by the signer alone."""

import json
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from chain import keys


def test_a_key_is_kept_encrypted_for_its_owner_alone(keystore: Path) -> None:
    address = keys.create("tron", light=True)
    file = keystore / f"tron-{address}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert keystore.stat().st_mode & 0o777 == 0o700
    sealed = json.loads(file.read_text())
    assert (sealed["version"], sealed["crypto"]["kdf"]) == (3, "scrypt")
    assert keys.sign_digest("tron", address=address, digest=b"\1" * 32) == keys.sign_digest(
        "tron", address=address, digest=b"\1" * 32
    )


def test_a_wrong_passphrase_opens_nothing(keystore: Path, settings: Settings) -> None:
    address = keys.create("tron", light=True)
    Path(settings.KEYSTORE_PASSPHRASE_FILE).write_text("another")
    with pytest.raises(keys.KeyUnusable, match="does not open"):
        keys.sign_digest("tron", address=address, digest=b"\1" * 32)


def test_a_file_with_another_wallets_key_is_refused(keystore: Path) -> None:
    one, other = (keys.create("ethereum", light=True) for _ in range(2))
    (keystore / f"ethereum-{one}.json").write_bytes((keystore / f"ethereum-{other}.json").read_bytes())
    with pytest.raises(keys.KeyUnusable, match="another wallet"):
        keys.sign_digest("ethereum", address=one, digest=b"\1" * 32)


def test_without_a_key_or_passphrase_nothing_is_signed(keystore: Path, settings: Settings) -> None:
    with pytest.raises(keys.KeyUnusable, match="no readable key"):
        keys.sign_digest("ethereum", address="0x" + "11" * 20, digest=b"\1" * 32)
    settings.KEYSTORE_PASSPHRASE_FILE = ""
    with pytest.raises(keys.KeyUnusable, match="PASSPHRASE_FILE"):
        keys.create("ethereum", light=True)


def test_light_keys_are_for_the_local_default(keystore: Path, settings: Settings) -> None:
    settings.IS_LOCAL = False
    with pytest.raises(keys.KeyUnusable, match="local"):
        keys.create("ethereum", light=True)
