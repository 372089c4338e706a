"""A whole Sluice in a folder of its own: services, chains, web, worker, signer, beat – as `make up` runs them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from config.local import ports, record
from config.local.place import ROOT
from config.local.processes import Identity
from payouts.demo.program import Program

T = TypeVar("T")
UP_S, POLL_S = 150.0, 0.1
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "npm_config_cache")


@dataclass
class House:
    """A running Sluice, and how its people reach it."""

    data_dir: Path
    base_url: str
    sandbox: dict[str, Any] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        """The environment of commands that work on it."""
        return _outside() | record.published(self.data_dir) | {"SLUICE_LOCAL_DIR": str(self.data_dir)}

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one management command."""
        return self.python("manage.py", *arguments)

    def python(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of our own programs, with more in its environment."""
        command, env = [sys.executable, *arguments], self.env() | more
        return subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True)  # noqa: S603 - ours

    def must(self, *arguments: str, **more: str) -> str:
        """What a management command prints that has to succeed, with more in its environment."""
        return self.must_run("manage.py", *arguments, **more)

    def must_run(self, *arguments: str, **more: str) -> str:
        """The same of one of our own programs."""
        done = self.python(*arguments, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def program(self) -> Iterator[Program]:
        """The sandbox merchant's program."""
        key = self.sandbox["merchant"]
        program = Program(self.base_url, key_id=key["key_id"], secret=key["secret"])
        try:
            yield program
        finally:
            program.close()

    def identity(self, name: str) -> Identity:
        """The process that was started last under this name."""
        processes = json.loads((self.data_dir / "run" / "services.json").read_text())["processes"]
        return Identity(**processes[name])

    def pid(self, name: str) -> int:
        """The process that runs under this name now."""
        return self.identity(name).pid

    def kill_nine(self, name: str) -> None:
        """SIGKILL it, with every process that it has started, and see it started again."""
        pid = self.pid(name)
        self.end(name)
        until(lambda: self.pid(name) != pid or None, what=f"{name} to be started again")

    def end(self, name: str) -> bool:
        """SIGKILL it with everybody below it; False when it is down already."""
        process = self.identity(name)
        if not process.alive():
            return False
        for one in (process.pid, *_descendants(process.pid)):
            _kill(one)
        return True

    def end_child(self, name: str, *, pick: float) -> bool:
        """SIGKILL one process below it; False when there is none."""
        process = self.identity(name)
        children = sorted(_descendants(process.pid)) if process.alive() else []
        if not children:
            return False
        _kill(children[int(pick * len(children))])
        return True


def until(look: Callable[[], T | None], *, what: str, timeout_s: float = UP_S, poll_s: float = POLL_S) -> T:
    """What `look` finds, as soon as it finds it."""
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for {what}"
        time.sleep(poll_s)
    return found


@contextmanager
def standing(folder: Path, *, program: Sequence[str] = ("-m", "config.local", "up")) -> Iterator[House]:
    """Build it, hand it over, and take it down with everything in it."""
    data_dir = folder / "local"
    data_dir.mkdir(parents=True, exist_ok=True)
    port = ports.unused()
    env = _outside() | {"SLUICE_LOCAL_DIR": str(data_dir), "PORT": str(port)}
    with (folder / "up.log").open("wb") as log:
        command = [sys.executable, *program]
        up = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 - ours
    house = House(data_dir, f"http://127.0.0.1:{port}")
    try:
        until(lambda: _is_up(up, data_dir, folder / "up.log"), what="Sluice to be up")
        made = house.manage("sandbox", "--json")
        assert made.returncode == 0, made.stderr
        house.sandbox = json.loads(made.stdout)
        yield house
    finally:
        up.terminate()
        up.wait(timeout=60)
        pointer = data_dir / "postgres" / "elsewhere"
        if pointer.exists():
            shutil.rmtree(pointer.read_text())


def _is_up(up: subprocess.Popen[bytes], data_dir: Path, log: Path) -> bool | None:
    assert up.poll() is None, log.read_text()
    return "BASE_URL" in record.published(data_dir) or None


def _outside() -> dict[str, str]:
    """The environment without the tests' own services."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # went with its parent
        os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found
