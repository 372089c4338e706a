"""A child process that never outlives its parent, is known by pid and start time, and says when it is ready."""

import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_ROTATE_BYTES = 20_000_000
LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec nothing may be imported


class NotReady(Exception):
    """A local service did not come up; the message names its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to run and how to see that it works."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[], bool]
    before_start: Callable[[], None] = lambda: None  # put right what a killed predecessor left
    tend: Callable[[], None] = lambda: None  # now and then while it runs
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    layer: int = 0  # a higher one stands on the lower ones and is stopped first
    user: pwd.struct_passwd | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    started_ticks: int

    def alive(self) -> bool:
        """Say whether exactly this process still runs (a zombie does not)."""
        return _stat(self.pid) == (self.started_ticks, False)


def identity(pid: int) -> Identity:
    """The identity of a process that runs now.

    Raises: ProcessLookupError when it does not.
    """
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(pid)
    return Identity(pid, stat[0])


def _stat(pid: int) -> tuple[int, bool] | None:
    """Start time in ticks since boot, and whether it is a zombie. Source: proc(5), fields 22 and 3 of stat."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the command in parentheses may hold spaces
    return int(fields[19]), fields[0] in "ZX"


def die_with_parent(death_signal: signal.Signals, *, parent_pid: int) -> None:
    """Have the kernel send this process `death_signal` when its parent ends, however it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended before the kernel was told
        os._exit(1)


class Child:
    """One running Spec; `start` it again after it died.

    Call it from the main thread only: the kernel counts the end of the starting thread as the parent's.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process in a session of its own, /dev/null as input, its log as output."""
        spec, parent_pid = self.spec, os.getpid()
        spec.before_start()
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        if spec.log.exists() and spec.log.stat().st_size > LOG_ROTATE_BYTES:
            spec.log.replace(spec.log.with_suffix(".old"))
        with os.fdopen(os.open(spec.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            self.process = subprocess.Popen(
                spec.command,
                env=dict(spec.env),
                cwd=spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=spec.user.pw_uid if spec.user else None,
                group=spec.user.pw_gid if spec.user else None,
                extra_groups=[] if spec.user else None,
                preexec_fn=lambda: die_with_parent(spec.stop_signal, parent_pid=parent_pid),  # noqa: PLW1509 - no threads
            )

    @property
    def pid(self) -> int:
        """The process id of the latest start."""
        if self.process is None:
            raise NotReady(f"{self.spec.name} was never started")
        return self.process.pid

    def died(self) -> str | None:
        """How it ended, in words; None while it runs."""
        status = None if self.process is None else self.process.poll()
        if status is None:
            return None
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def wait_ready(self, *, timeout_s: float) -> None:
        """Wait until it answers.

        Raises: NotReady when it ends first or takes too long.
        """
        deadline = time.monotonic() + timeout_s
        while not self.spec.ready():
            how = self.died()
            if how or time.monotonic() > deadline:
                raise NotReady(
                    f"{self.spec.name} did not come up ({how or 'too slow'}); its log: {self.spec.log}{self._tail()}"
                )
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Send the polite signal; `see_stopped` waits for the end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.spec.stop_signal)

    def stop(self, *, patience_s: float = 10) -> None:
        """Stop it politely, then by force."""
        self.ask_to_stop()
        self.see_stopped(patience_s=patience_s)

    def see_stopped(self, *, patience_s: float) -> None:
        """Wait for the end that was asked for, force it when that takes too long, and leave nobody of its group."""
        if self.process is None:
            return
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.sweep()

    def sweep(self) -> None:
        """Kill what a dead process left in its group (pool workers of a SIGKILLed Celery, say)."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def _tail(self, lines: int = 8) -> str:
        text = self.spec.log.read_text(errors="replace").splitlines()[-lines:] if self.spec.log.exists() else []
        return "".join(f"\n    {line}" for line in text)
