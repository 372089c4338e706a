"""`make up` and `make demo`: everything that Sluice is, on this machine, until Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from config import local
from config.local import place, ports, procfile, record, setup, stack
from config.local.place import ROOT
from config.local.processes import NotReady, die_with_parent
from config.local.record import AlreadyRunning
from config.local.supervisor import Supervisor

DEFAULT_PORT, READY_S = "8000", 120
ANCHORS = {"SEAL_ANCHOR_NETWORK": "ethereum", "SEAL_ANCHOR_EVERY_S": "30"}  # off elsewhere: here the chain is free
BANNER = """\

  Sluice is up.

    merchants' API, dashboard   {base}/
    approvers                   {base}/admin/
    health                      {base}/healthz  {base}/readyz
    logs                        {logs}/<{names}>/log

  `python manage.py sandbox --json` makes a funded test merchant. Ctrl-C stops everything; the data stays.
"""


class Stopped(BaseException):
    """Ctrl-C or a polite signal: not an error, and nobody on the way may take it for one."""


def say(line: str) -> None:
    """Tell the person at the terminal, if there still is one."""
    with suppress(OSError):
        print(line, flush=True)


def up(environ: Mapping[str, str], *, instead: Mapping[str, str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; answers the exit status.

    With `instead` the application is told these values in the place of what was started (a proxy before a node, say).
    """
    with _stoppable():
        try:
            _refuse_production(environ)
            with _everything(environ, instead or {}) as services:
                base = services.env["BASE_URL"]
                names = ",".join(child.spec.name for child in services.children)
                say(BANNER.format(base=base, logs=place.data_dir(environ), names=names))
                Supervisor(services, say=say).run(until=lambda: False)
        except (NotReady, AlreadyRunning, setup.SetupFailed) as error:
            say(f"make up: {error}")
            return 1
        except Stopped:
            say("stopped")
    return 0


def demo(environ: Mapping[str, str]) -> int:
    """Run the demo on what `make up` serves already, else on the same set-up for the demo's time; its exit status."""
    with _stoppable():
        try:
            _refuse_production(environ)
            with record.attached(place.data_dir(environ)) as env:
                if "BASE_URL" in env:
                    say(f"using what runs at {env['BASE_URL']}")
                    at = {"PORT": env["PORT"], "BASE_URL": env["BASE_URL"]}
                    return _demo({**environ, **local.missing_from(environ, env), **at}).wait()
            with _everything({**environ, "PORT": _demo_port(environ)}, {}) as services:
                child = _demo({**environ, **services.env})
                Supervisor(services, say=say).run(until=lambda: child.poll() is not None)
                return child.returncode
        except (NotReady, AlreadyRunning, setup.SetupFailed) as error:
            say(f"make demo: {error}")
            return 1
        except Stopped:
            say("stopped")
            return 130


@contextmanager
def _everything(environ: Mapping[str, str], instead: Mapping[str, str]) -> Iterator[stack.Services]:
    """Services, schema, tokens, and the Procfile's processes; nothing of it survives the block.

    Raises: NotReady, AlreadyRunning, SetupFailed.
    """
    data_dir, port = place.data_dir(environ), environ.get("PORT") or DEFAULT_PORT
    if ports.answers(int(port)) or not ports.free(int(port)):
        raise NotReady(_taken(port, data_dir))
    say("starting PostgreSQL, Redis and the six chains …")
    services = stack.start(data_dir, environ=environ)
    try:
        services.env |= {name: environ.get(name) or value for name, value in ANCHORS.items()}
        services.env |= {"PORT": port, "BASE_URL": environ.get("BASE_URL") or f"http://127.0.0.1:{port}"}
        say("migrating, putting the tokens on the chains …")
        setup.prepare(services, environ)
        services.env |= instead
        children = [services.start(spec) for spec in procfile.specs(services, environ, data_dir=data_dir)]
        for child in children:
            child.wait_ready(timeout_s=READY_S)
        services.record.publish(services.env | services.signer_env)
        yield services
    finally:
        services.stop()


def _refuse_production(environ: Mapping[str, str]) -> None:
    if environ.get("SLUICE_ENV") == "production":
        raise NotReady("SLUICE_ENV=production runs the Procfile under your own process manager, not the local default")


def _taken(port: str, data_dir: Path) -> str:
    running = record.published(data_dir).get("PORT")
    if running:
        return f"the local default in {data_dir} is already running, on port {running}"
    return f"port {port} is taken by another program: set PORT to a free one"


def _demo_port(environ: Mapping[str, str]) -> str:
    """The demo needs a port, not a certain one."""
    if environ.get("PORT"):
        return environ["PORT"]
    return DEFAULT_PORT if ports.free(int(DEFAULT_PORT)) else str(ports.unused())


def _demo(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    parent_pid = os.getpid()
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "demo"],
        env=env,
        cwd=ROOT,
        preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent_pid=parent_pid),  # noqa: PLW1509 - no threads here
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into Stopped; under make, make's own end as well."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM, parent_pid=os.getppid())

    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:  # a further signal does not break off the stopping (make and a terminal each send one)
            stopping = True
            raise Stopped

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
