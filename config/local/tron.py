"""The TRON dev node of `chain.devnet`, as a process of the local default."""

import os
import sys

from config.local import rpc
from config.local.place import ROOT, Place
from config.local.processes import Spec

VARIABLE = "TRON_RPC_URLS"
BLOCK_MS, SOLID_LAG = 500, 19


def spec(place: Place) -> Spec:
    """Say how to run the node; its database keeps the chain over restarts."""
    folder, (address,) = place.folder("tron"), env(place).values()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "chain.devnet",
        "--port",
        str(place.ports["tron"]),
        "--db",
        str(folder / "chain.db"),
    ]
    return Spec(
        name="tron",
        command=[*command, "--block-ms", str(BLOCK_MS), "--solid-lag", str(SOLID_LAG)],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        log=folder / "log",
        ready=lambda: answers(address),
    )


def env(place: Place) -> dict[str, str]:
    """How the application finds the node."""
    return {VARIABLE: f"http://127.0.0.1:{place.ports['tron']}"}


def answers(url: str) -> bool:
    """Say whether a TRON node answers there."""
    answer = rpc.post(f"{url.rstrip('/')}/wallet/getnowblock", {})
    return isinstance(answer, dict) and "blockID" in answer
