"""pytest plugin: real services for the suite, up before Django reads its settings, gone with the run.

The controller (or the only process) starts PostgreSQL and Redis in a folder of its own below `.local/test/`, so that
runs beside one another and beside `make up` do not meet. Every process that runs tests has ports of its own for anvil
and the TRON dev node, which the fixtures start at their first use. A URL that the environment gives is used instead.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from config import local
from config.local import ports, stack
from config.local.processes import NotReady
from config.local.record import AlreadyRunning

ROOT = Path(__file__).resolve().parent.parent
TEST_DATA = ROOT / ".local" / "test"
MAX_RUNS = 16
FOLDER = "SLUICE_TEST_FOLDER"  # where this run's services live; xdist's workers inherit it
MIGRATIONS = "SLUICE_TEST_MIGRATIONS"  # a hash over them, taken once, so that all workers use one template
CHAINS_GIVEN = "SLUICE_TEST_CHAINS_GIVEN"

running: list[stack.Services] = []  # what this process started


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the environment before pytest-django loads the settings."""
    if early_config.known_args_namespace.help or early_config.known_args_namespace.version:
        return
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _start_for_the_run()
    _own_redis_database()
    _own_chain_ports()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started, also after an interrupted run."""
    while running:
        running.pop().stop()


def _start_for_the_run() -> None:
    os.environ["RINGS_APART_S"] = "0"  # tests count rings
    os.environ[CHAINS_GIVEN] = ",".join(name for name in ("EVM_RPC_URLS", "TRON_RPC_URLS") if os.environ.get(name))
    for folder in (TEST_DATA / str(number) for number in range(MAX_RUNS)):
        try:
            services = stack.start(folder, environ=os.environ, wanted=("postgres", "redis"), durable=False)
        except AlreadyRunning:
            continue
        except NotReady as error:
            raise pytest.UsageError(str(error)) from None
        running.append(services)
        os.environ.update(services.env | services.signer_env)
        os.environ |= {FOLDER: str(folder), MIGRATIONS: _fingerprint(), "SLUICE_LOCAL_DIR": str(folder)}
        return
    raise pytest.UsageError(f"{MAX_RUNS} test runs are going on in {TEST_DATA} already")


def worker_number() -> int:
    """0 for a run without xdist, 1, 2, … for its workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 1 if worker else 0


def _own_redis_database() -> None:
    address = urlsplit(os.environ["REDIS_URL"])
    if worker_number():
        os.environ["REDIS_URL"] = urlunsplit(address._replace(path=f"/{worker_number()}"))


def _own_chain_ports() -> None:
    given = os.environ[CHAINS_GIVEN].split(",")
    taken: list[int] = []
    for name in ("EVM_RPC_URLS", "TRON_RPC_URLS"):
        if name not in given:
            taken.append(ports.unused(taken))
            os.environ[name] = f"http://127.0.0.1:{taken[-1]}"


def _fingerprint() -> str:
    """A hash over everything that decides what migrate makes."""
    digest = hashlib.sha256()
    files = [ROOT / "requirements.txt", ROOT / "config" / "settings.py", *(ROOT / "ledger").glob("*.py")]
    for room in ("ledger", "chain", "payouts"):
        files += [path for path in (ROOT / room).rglob("*") if _decides(path)]
    for path in sorted(set(files)):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _decides(path: Path) -> bool:
    return path.suffix == ".sql" or (
        path.suffix == ".py"
        and (path.parent.name == "migrations" or "models" in path.name or path.stem in ("migrate", "roles"))
    )


def environment_without(**more: str) -> dict[str, str]:
    """This process's environment as a newcomer would have it: no URL, no secret, no settings given."""
    own = {*local.URLS, "DATABASE_OWNER_URL", "SECRET_KEY", "KEY_PEPPER", "SECRETS_KEY", "KEYSTORE_DIR"}
    own |= {*local.WHOSE, "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in own} | more


def run(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One of the project's own programs, to its end: `run("manage.py", "prove", env=…)`."""
    return subprocess.run(  # noqa: S603 - our own interpreter and programs
        [sys.executable, *arguments], env=env, cwd=ROOT, check=False, capture_output=True, text=True
    )


def remove(data_dir: Path) -> None:
    """A local default's folder, and where PostgreSQL's part of it lies when its user cannot reach that folder."""
    pointer = data_dir / "postgres" / "elsewhere"
    if pointer.exists():
        shutil.rmtree(pointer.read_text())
    shutil.rmtree(data_dir, ignore_errors=True)
