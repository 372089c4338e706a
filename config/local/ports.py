"""Ports on loopback that are chosen once and kept, so that URLs stay the same over restarts."""

import json
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

RANGE = range(15_000, 32_768)  # below the kernel's ephemeral ports, which outgoing connections take at any moment


def free(port: int) -> bool:
    """Say whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Say whether something accepts connections on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def unused(taken: Sequence[int] = ()) -> int:
    """A random free port, none of `taken`."""
    while True:
        port = secrets.choice(RANGE)
        if port not in taken and free(port):
            return port


def keep(path: Path, names: Sequence[str]) -> dict[str, int]:
    """The port of each name, as remembered in `path`; one that something else took meanwhile is replaced."""
    kept: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        if name not in kept or not free(kept[name]):
            kept[name] = unused(list(kept.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return kept
