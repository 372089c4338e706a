"""What the sandbox printed once and prints again: kept beside the local default, readable by its owner alone."""

import json
import os
import re
from pathlib import Path
from typing import Any

from django.conf import settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)


class BadName(ValueError):
    """The name cannot be a file's."""


def read(name: str) -> dict[str, Any]:
    """What is kept under this name; nothing is {}.

    Raises: BadName.
    """
    path = _path(name)
    return json.loads(path.read_text()) if path.exists() else {}


def write(name: str, content: dict[str, Any]) -> None:
    """Keep this under the name, replacing the file as a whole.

    Raises: BadName.
    """
    path = _path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2))
    os.replace(draft, path)  # noqa: PTH105 - the same on every platform and atomic


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise BadName("a name is letters, digits, _ and -, at most 40 of them")
    return Path(settings.LOCAL_DIR) / "sandbox" / f"{name}.json"
