"""The TRON dev node of `chain.devnet`, as a process of the local default."""

import os
import sys
from pathlib import Path

from config.local import rpc
from config.local.processes import Spec

BLOCK_MS, SOLID_LAG = 500, 19


def spec(folder: Path, *, port: int, root: Path) -> Spec:
    """Say how to run the node on its database in `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / "chain.db"
    command = [sys.executable, "-m", "chain.devnet", "--port", str(port), "--db", str(database)]
    return Spec(
        name="tron",
        command=[*command, "--block-ms", str(BLOCK_MS), "--solid-lag", str(SOLID_LAG)],
        env={
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
        },
        cwd=root,
        log=folder / "log",
        ready=lambda: rpc.tron_answers(url(port=port)),
    )


def url(*, port: int) -> str:
    """The node's base URL."""
    return f"http://127.0.0.1:{port}"
