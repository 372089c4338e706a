"""Where one local default lives: its folder, its ports, its secrets."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.local import credentials, ports

ROOT = Path(__file__).resolve().parent.parent.parent


def data_dir(environ: Mapping[str, str]) -> Path:
    """The folder of this checkout's local default; SLUICE_LOCAL_DIR names another one."""
    return Path(environ.get("SLUICE_LOCAL_DIR") or ROOT / ".local").absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the services need to know to be started here, the same at every start."""

    data_dir: Path
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    environ: Mapping[str, str]
    durable: bool  # False: data of a test run, which nobody misses

    def folder(self, name: str) -> Path:
        """A service's own folder."""
        return self.data_dir / name


def prepare(folder: Path, *, names: Sequence[str], environ: Mapping[str, str], durable: bool) -> Place:
    """Make the folder, and whatever ports and secrets are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # PostgreSQL's user passes through root's
    return Place(
        data_dir=folder,
        ports=ports.keep(folder / "ports.json", names),
        secrets=credentials.keep(folder / "secrets"),
        environ=environ,
        durable=durable,
    )
