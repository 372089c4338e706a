#!/usr/bin/env python3
"""Django's command line; without a DATABASE_URL it works on the local default."""

import os
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def main() -> None:
    """Run one management command, in the project's own environment."""
    if VENV_PYTHON.exists() and Path(sys.prefix) != VENV_PYTHON.parent.parent:
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - our own interpreter, our own arguments
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import local

    with local.services_for(sys.argv[1:]):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
