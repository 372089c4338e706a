"""Chains of the suite's own: an anvil and a TRON dev node per process, started when a test first asks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from config.local import anvil, stack, tron
from config.local.place import Place
from config.local.processes import Child
from tests import services


def anvil_running() -> AbstractContextManager[str]:
    """An anvil at settings' URL with a new chain, or the one that the environment gives."""
    return _running(anvil.ETHEREUM, "anvil")


def tron_running() -> AbstractContextManager[str]:
    """A TRON dev node at settings' URL with a new chain, or the one that the environment gives."""
    return _running(tron, "tron")


@contextmanager
def _running(service: stack.Service, name: str) -> Iterator[str]:
    url = os.environ[service.VARIABLE]
    if service.VARIABLE in os.environ[services.CHAINS_GIVEN].split(","):
        yield url
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    folder = Path(os.environ[services.FOLDER]) / f"chains-{worker}"
    shutil.rmtree(folder / name, ignore_errors=True)
    port = urlsplit(url).port
    assert port is not None
    here = Place(data_dir=folder, ports={name: port}, secrets={}, environ=os.environ, durable=False)
    child = Child(service.spec(here))
    child.start()
    try:
        child.wait_ready(timeout_s=30)
        yield url
    finally:
        child.stop()
