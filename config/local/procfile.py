"""The Procfile's processes with the local default's environment."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from config import local
from config.local import ports, rpc
from config.local.place import ROOT
from config.local.processes import Spec
from config.local.stack import Services


def specs(services: Services, environ: Mapping[str, str], *, data_dir: Path) -> list[Spec]:
    """How to run each process, with what its role may know; the signer alone learns of the passphrase."""
    common = {**environ, **services.env}
    common["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    common["PYTHONUNBUFFERED"] = "1"
    port = int(common["PORT"])
    common |= {name: environ.get(name) or value for name, value in services.signer_env.items()}
    return [
        Spec(
            name=name,
            command=["/bin/sh", "-c", f"exec {command}"],
            env=local.for_role(common, role(command)),
            cwd=ROOT,
            log=data_dir / name / "log",
            layer=1,
            ready=(lambda: healthy(port)) if name == "web" else (lambda: True),
        )
        for name, command in lines((ROOT / "Procfile").read_text()).items()
    ]


def role(command: str) -> str:
    """What a process is, by the SLUICE_ROLE that its command sets."""
    named = re.search(r"\bSLUICE_ROLE=(\w+)", command)
    return named[1] if named else "web"


def lines(text: str) -> dict[str, str]:
    """Each process's command by its name."""
    named = (line.split(":", 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {name.strip(): command.strip() for name, command in named}


def healthy(port: int) -> bool:
    """Say whether the web process answers /healthz."""
    return ports.answers(port) and rpc.get_ok(f"http://127.0.0.1:{port}/healthz")
