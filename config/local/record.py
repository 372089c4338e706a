"""`.local/run/`: who runs the local default now, its processes and its environment; one owner at a time."""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from config.local.processes import Identity, identity

TAG = "SLUICE_LOCAL_RUN"  # in every child's environment: whose child it is
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LEFTOVERS_STOP_S = 5


class AlreadyRunning(Exception):
    """Another process owns this folder's local default."""


class Record:
    """The owner's side: takes the folder, writes down every process that it starts."""

    def __init__(self, data_dir: Path) -> None:
        """Take the folder for this process, and end what an owner that was killed left behind.

        Raises: AlreadyRunning when a living owner holds it.
        """
        self.data_dir = data_dir
        self.path = data_dir / "run" / "services.json"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (data_dir / "run" / "owner.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise AlreadyRunning(f"the local default in {data_dir} is already running") from None
        _end_leftovers(self.path)
        self.tag = f"{os.getpid()}-{os.urandom(8).hex()}"
        self.processes: dict[str, Identity] = {}
        self.env: Mapping[str, str] = {}
        self.save()

    def started(self, name: str, pid: int) -> None:
        """Write down a process that was started (again)."""
        self.processes[name] = identity(pid)
        self.save()

    def publish(self, env: Mapping[str, str]) -> None:
        """Tell others in this checkout that everything is up, and the environment to use it with."""
        self.env = env
        self.save()

    def save(self) -> None:
        """Replace the record as a whole."""
        content = {
            "boot_id": BOOT_ID.read_text(),
            "owner": asdict(identity(os.getpid())),
            "tag": self.tag,
            "processes": {name: asdict(process) for name, process in self.processes.items()},
            "env": dict(self.env),
        }
        fresh = self.path.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(json.dumps(content, indent=2) + "\n")
        fresh.replace(self.path)

    @contextmanager
    def without_users(self) -> Iterator[None]:
        """Wait until nobody is attached any more, and let nobody attach meanwhile."""
        with _users(self.data_dir) as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sys.stderr.write("another command uses what this one started: waiting for its end\n")
                fcntl.flock(users, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Give the folder free."""
        if not self._lock.closed:
            self.path.unlink(missing_ok=True)
            self._lock.close()


def published(data_dir: Path) -> dict[str, str]:
    """The environment of the local default that runs in `data_dir`; {} when none does, or not yet."""
    content = _read(data_dir / "run" / "services.json")
    if content is None or not Identity(**content["owner"]).alive():
        return {}
    env: dict[str, str] = content["env"]
    return env


@contextmanager
def attached(data_dir: Path) -> Iterator[dict[str, str]]:
    """Use what runs there, whose owner waits for our end if it only started it for a command; {} when nothing does."""
    with _users(data_dir) as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        env = published(data_dir)
        if not env:
            fcntl.flock(users, fcntl.LOCK_UN)
        yield env


@contextmanager
def _users(data_dir: Path) -> Iterator[int]:
    folder = data_dir / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "users.lock").open("a") as file:
        yield file.fileno()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, PermissionError, json.JSONDecodeError):
        return None
    return content if content["boot_id"] == BOOT_ID.read_text() else None


def _end_leftovers(path: Path) -> None:
    """End processes of an owner that is gone: those recorded, by pid and start time, and those that carry its tag."""
    content = _read(path)
    if content is None:
        return
    recorded = [Identity(**process) for process in content["processes"].values()]
    leftovers = [*recorded, *_tagged(content["tag"])]
    for how in (signal.SIGINT, signal.SIGKILL):
        for process in leftovers:
            if process.alive():
                os.kill(process.pid, how)
        deadline = time.monotonic() + LEFTOVERS_STOP_S
        while any(process.alive() for process in leftovers) and time.monotonic() < deadline:
            time.sleep(0.02)


def _tagged(tag: str) -> list[Identity]:
    """Processes that we may look at whose environment names that owner."""
    found = []
    wanted = f"{TAG}={tag}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(identity(int(folder.name)))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found
