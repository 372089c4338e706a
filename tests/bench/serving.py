"""A web server under load: granian as the Procfile runs it, callers elsewhere, and the CPU time that answers took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local import ports
from tests.bench import place

WORKERS, THREADS = 2, 8
UP_S = 60


@dataclass(frozen=True, slots=True)
class Shot:
    """What one caller sends, over and over."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None = None

    def line(self) -> str:
        """As the callers' process reads it."""
        head = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        return json.dumps(["".join(f"{one}\r\n" for one in head), json.dumps(self.body) if self.body else ""])


@dataclass(frozen=True, slots=True)
class Measured:
    """What a volley found."""

    per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running one: its port, and the processes whose CPU time an answer costs."""

    port: int
    pids: Sequence[int]

    def under(self, shots: Sequence[Shot], *, seconds: float, expected: int) -> Measured:
        """Let so many callers at it.

        Raises: RuntimeError when it answers with anything but what is expected.
        """
        command = [sys.executable, "-m", "tests.bench.volley", str(self.port), str(seconds)]
        lines = "".join(f"{shot.line()}\n" for shot in shots)
        before = self._cpu_s()
        done = subprocess.run(command, input=lines, check=True, capture_output=True, text=True, cwd=place.ROOT)  # noqa: S603 - our own
        spent = self._cpu_s() - before
        said = json.loads(done.stdout)
        if set(said["statuses"]) != {str(expected)}:
            raise RuntimeError(f"{shots[0].target} answered {said['statuses']}\n{done.stderr}")
        return Measured(
            said["answered"] / said["seconds"], spent * 1000 / said["answered"], said["p50_ms"], said["p99_ms"]
        )

    def _cpu_s(self) -> float:
        return sum(map(_cpu_s, self.pids))


@contextmanager
def granian(target: str, env: Mapping[str, str], *, beside: Sequence[int], log: Path) -> Iterator[Server]:
    """The server with this application; `beside` are processes that work for it."""
    port = ports.unused()
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", target]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS)]
    command += ["--blocking-threads", str(THREADS), "--backpressure", "256", "--no-ws"]
    with log.open("w") as out:
        child = subprocess.Popen(command, env=env, cwd=place.ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # noqa: S603 - our own
        try:
            deadline = time.monotonic() + UP_S
            while not ports.answers(port):
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text())
                time.sleep(0.1)
            yield Server(port, [child.pid, *beside])
        finally:
            child.terminate()
            child.wait(30)


def _cpu_s(pid: int) -> float:
    """The CPU time of a process and all below it, those that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()
        ]
    except FileNotFoundError:  # a backend that ended between two looks
        return 0.0
    ticks = sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(_cpu_s, children))
