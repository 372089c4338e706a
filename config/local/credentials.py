"""The local default's own secrets: random, made once, kept in files that only their owner reads."""

import os
import secrets
from pathlib import Path

NAMES = {
    # file                    bytes
    "secret_key": 48,
    "key_pepper": 32,
    "secrets_key": 32,
    "keystore_passphrase": 32,
    "postgres_owner": 24,
    "postgres_web": 24,
    "postgres_signer": 24,
    "approval_key": 32,
    "redis": 24,
}


def keep(folder: Path) -> dict[str, str]:
    """Every secret in hex by name; those that are missing are made now."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: _keep(folder / name, size) for name, size in NAMES.items()}


def _keep(path: Path, size: int) -> str:
    if path.exists():
        return path.read_text().strip()
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(size))
    fresh.replace(path)
    return path.read_text()
