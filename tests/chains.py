"""Chains of the suite's own: an anvil and a TRON dev node per process, started when a test first asks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.local import anvil, tron
from config.local.processes import Child, Spec
from tests import services


@contextmanager
def anvil_running() -> Iterator[str]:
    """An anvil at settings' URL with a new chain."""
    url = os.environ["EVM_RPC_URLS"]
    if "EVM_RPC_URLS" in os.environ[services.CHAINS_GIVEN]:
        yield url
        return
    binary = anvil.installed(services.TOOLS, os.environ)
    with _running(anvil.spec(_folder("anvil"), port=_port(url), binary=binary, state=None)):
        yield url


@contextmanager
def tron_running() -> Iterator[str]:
    """A TRON dev node at settings' URL with a new chain."""
    url = os.environ["TRON_RPC_URLS"]
    if "TRON_RPC_URLS" in os.environ[services.CHAINS_GIVEN]:
        yield url
        return
    folder = _folder("tron")
    for old in folder.glob("chain.db*"):
        old.unlink()
    with _running(tron.spec(folder, port=_port(url), root=services.ROOT)):
        yield url


@contextmanager
def _running(spec: Spec) -> Iterator[Child]:
    child = Child(spec)
    child.start()
    try:
        child.wait_ready(timeout_s=30)
        yield child
    finally:
        child.stop()


def _folder(name: str) -> Path:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    folder = Path(os.environ[services.FOLDER]) / f"{name}-{worker}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _port(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise pytest.UsageError(f"{url} names no port")
    return port
