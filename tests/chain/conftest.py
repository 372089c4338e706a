"""Chains under control, a keystore of the test's own, and the steps that every payment takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chain import families, keys
from tests.chain import labs, proxy
from tests.ledger.conftest import owner_inside

__all__ = ["owner_inside"]


@pytest.fixture(autouse=True)
def _nothing_is_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests change the chain between two signatures and mean the second to see it."""
    monkeypatch.setattr(families, "RECENT_S", 0.0)


@pytest.fixture
def keystore(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty keystore with a passphrase; the process is the signer."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a test's passphrase\n")
    settings.KEYSTORE_DIR = tmp_path / "keystore"
    settings.KEYSTORE_PASSPHRASE_FILE = str(passphrase)
    settings.ROLE = "signer"
    monkeypatch.setattr(keys, "_opened", {})
    return tmp_path / "keystore"


@pytest.fixture
def ethereum(anvil_url: str, keystore: Path, settings: Settings) -> Iterator[labs.EvmLab]:
    with proxy.before(anvil_url) as lying:
        settings.EVM_RPC_URLS = [lying.url]
        lab = labs.EvmLab(anvil_url, proxy=lying)
        lab.start()
        yield lab
        lab.stop()


@pytest.fixture
def tron(tron_url: str, keystore: Path) -> Iterator[labs.TronLab]:
    lab = labs.TronLab(tron_url)
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture(params=["ethereum", "tron"])
def lab(request: pytest.FixtureRequest) -> Any:
    """Each chain in turn."""
    return request.getfixturevalue(request.param)
