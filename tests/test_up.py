"""`make up` and `manage.py` as a person meets them: come up, bring back what dies, stop whole, leave nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chain import networks
from config import local
from config.local import place, ports, record, rpc, stack, up
from config.local.processes import Identity
from tests import services

KILLED = ("worker", "redis", "postgres", "anvil", "tron")
USDT = networks.NETWORKS["ethereum"].tokens["USDT"].contract


@dataclass(frozen=True)
class Running:
    """A `make up` of a test's own."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    env: dict[str, str]

    def wait_for(self, words: str) -> str:
        """Read on until a line holds these words."""
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(said))

    def url(self, name: str) -> str:
        return record.published(self.folder)[name]

    def evm(self, method: str, *params: str) -> str:
        question = {"id": 1, "jsonrpc": "2.0", "method": method, "params": params}
        return str(rpc.post(self.url("EVM_RPC_URLS"), question)["result"])

    def heights(self) -> tuple[int, int]:
        tron = rpc.post(self.url("TRON_RPC_URLS") + "/wallet/getnowblock", {})
        return int(self.evm("eth_blockNumber"), 16), int(tron["block_header"]["raw_data"]["number"])

    def processes(self) -> dict[str, Identity]:
        content = json.loads((self.folder / "run" / "services.json").read_text())
        return {name: Identity(**one) for name, one in content["processes"].items()}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a test's own where PostgreSQL's user reaches it."""
    folder = Path(os.environ[services.FOLDER]) / f"up-{os.getpid()}"
    yield folder
    services.remove(folder)


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    """`python -m config.local up` in a folder and on a port of its own, ready."""
    port = ports.unused()
    env = services.environment_without(SLUICE_LOCAL_DIR=str(folder), PORT=str(port))
    command = [sys.executable, "-m", "config.local", "up"]
    with subprocess.Popen(command, env=env, cwd=place.ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        one = Running(process, folder, port, env)
        try:
            one.wait_for("Ctrl-C stops everything")
            yield one
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.timeout(240)
def test_up_serves_brings_back_what_is_killed_and_stops_whole(running: Running) -> None:
    assert rpc.get_ok(f"http://127.0.0.1:{running.port}/healthz")
    first = running.processes()
    assert set(first) == {*stack.SERVICES, "web", "worker", "webhooks", "signer", "beat"}
    again = services.run("-m", "config.local", "up", env=running.env)
    assert again.returncode == 1
    assert "already running" in again.stdout
    heights = running.heights()
    for name in KILLED:
        os.kill(first[name].pid, signal.SIGKILL)
        running.wait_for(f"{name} is back")
    second = running.processes()
    assert not any(first[name].alive() for name in KILLED)
    assert all(after > before - 5 for before, after in zip(heights, running.heights(), strict=True))
    assert len(running.evm("eth_getCode", USDT, "latest")) > 1000  # the token is still where the main net has it
    began = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)  # make passes on what the terminal has sent already
    assert running.process.wait(30) == 0
    assert time.monotonic() - began < 20
    assert not any(one.alive() for one in second.values())


@pytest.mark.parametrize(
    "command", ["version", "help", "check", "collectstatic", "makemigrations --check", "prove --help", ""]
)
def test_commands_that_need_no_service_start_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for variable in (*local.URLS, "DATABASE_OWNER_URL"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SLUICE_LOCAL_DIR", str(tmp_path))
    with local.services_for(command.split()):
        assert list(tmp_path.iterdir()) == []


def test_the_migrations_are_complete_and_looking_at_them_takes_no_service(tmp_path: Path) -> None:
    env = services.environment_without(SLUICE_LOCAL_DIR=str(tmp_path))
    no_history = ("-W", "ignore::RuntimeWarning")  # there is no database whose history could be compared
    done = services.run(*no_history, "manage.py", "makemigrations", "--check", "--dry-run", env=env)
    assert done.stdout == "No changes detected\n", done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("start", [up.up, up.demo])
def test_production_has_no_up_and_no_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: Callable[[dict[str, str]], int]
) -> None:
    assert start({"SLUICE_LOCAL_DIR": str(tmp_path), "SLUICE_ENV": "production"}) == 1
    assert "SLUICE_ENV=production runs the Procfile" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_named_before_anything_is_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert up.up({"SLUICE_LOCAL_DIR": str(tmp_path), "PORT": str(port)}) == 1
    assert f"port {port} is taken by another program: set PORT" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_needs_services_has_them_for_its_time_and_stdout_for_itself(folder: Path) -> None:
    env = services.environment_without(SLUICE_LOCAL_DIR=str(folder))
    code = (
        "from django.db import connection as c; print(len(c.introspection.table_names()) > 20, c.settings_dict['USER'])"
    )
    done = services.run("manage.py", "shell", "-v", "0", "-c", code, env=env)
    assert done.stdout == "True sluice_web\n"
    assert done.stderr == "the local default is up for this command (`make up` keeps it running)\n"
    assert record.published(folder) == {}
    assert not any(ports.answers(port) for port in json.loads((folder / "ports.json").read_text()).values())


def test_a_production_command_starts_nothing_and_names_what_is_missing(tmp_path: Path) -> None:
    env = services.environment_without(SLUICE_LOCAL_DIR=str(tmp_path), SLUICE_ENV="production")
    done = services.run("manage.py", "prove", env=env)
    assert done.returncode
    assert "set SECRET_KEY: production takes nothing for granted" in done.stderr
    assert list(tmp_path.iterdir()) == []
