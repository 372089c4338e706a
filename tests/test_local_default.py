"""The local default: starts where no URL is given, survives kills, refuses production, leaves nothing behind."""

import functools
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import local
from config.local import anvil, place, ports, postgres, record, stack
from config.local.processes import Identity, NotReady, identity
from tests.services import remove

DATA = ("postgres", "redis")
NOTHING_GIVEN = {"PATH": os.environ.get("PATH", os.defpath)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A local default's folder; as root in a private place, PostgreSQL's part of it lies elsewhere."""
    yield tmp_path / "local"
    remove(tmp_path / "local")


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], stack.Services]]:
    """Starts PostgreSQL and Redis in that folder; what still runs at the end is stopped."""
    started: list[stack.Services] = []

    def one() -> stack.Services:
        started.append(stack.start(folder, environ=NOTHING_GIVEN, wanted=DATA))
        return started[-1]

    yield one
    for services in started:
        services.stop()


def kill_all(services: stack.Services) -> None:
    for child in services.children:
        os.kill(child.pid, signal.SIGKILL)


def write(services: stack.Services) -> None:
    with psycopg.connect(services.env["DATABASE_OWNER_URL"], autocommit=True) as db:
        db.execute("CREATE TABLE kept (what text)")
        db.execute("INSERT INTO kept VALUES ('money')")


def read(services: stack.Services) -> str:
    with psycopg.connect(services.env["DATABASE_OWNER_URL"]) as db:
        (what,) = db.execute("SELECT what FROM kept").fetchone() or (None,)
        return str(what)


def test_killed_services_start_again_with_the_same_urls_and_data(start: Callable[[], stack.Services]) -> None:
    services = start()
    write(services)
    kill_all(services)
    services.stop()
    again = start()
    assert again.env == services.env
    assert read(again) == "money"


def test_every_port_is_on_loopback_and_below_the_ephemeral_ones(start: Callable[[], stack.Services]) -> None:
    services = start()
    chosen = json.loads((services.record.data_dir / "ports.json").read_text())
    assert set(chosen) == set(DATA)
    assert all(15_000 <= port < 32_768 for port in chosen.values())
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    for port in chosen.values():
        assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_nothing_survives_stop(start: Callable[[], stack.Services], folder: Path) -> None:
    services = start()
    mine = [identity(child.pid) for child in services.children]
    assert all(one.alive() for one in mine)
    services.stop()
    assert not any(one.alive() for one in mine)
    assert record.published(folder) == {}


def test_a_second_owner_of_the_folder_is_refused(start: Callable[[], stack.Services], folder: Path) -> None:
    start()
    with pytest.raises(record.AlreadyRunning, match="already running"):
        stack.start(folder, environ=NOTHING_GIVEN, wanted=DATA)


def test_the_services_of_a_killed_owner_end_with_it(start: Callable[[], stack.Services], folder: Path) -> None:
    code = (
        "import pathlib, signal, sys; from config.local import stack;"
        "stack.start(pathlib.Path(sys.argv[1]), environ={}, wanted=('postgres', 'redis'));"
        "print('up', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as owner:  # noqa: S603 - our own
        assert owner.stdout
        assert owner.stdout.readline() == "up\n"
        content = json.loads((folder / "run" / "services.json").read_text())
        owner.kill()
    ended([Identity(**one) for one in content["processes"].values()])
    start()


def test_the_next_owner_ends_what_outlived_a_killed_one_and_nobody_else(folder: Path) -> None:
    owner = record.Record(folder)
    recorded, tagged, somebody_else = sleeping(), sleeping(**{record.TAG: owner.tag}), sleeping()
    try:
        owner.started("recorded", recorded.pid)
        owner.processes["pid taken over"] = Identity(somebody_else.pid, identity(somebody_else.pid).started_ticks - 1)
        owner.save()
        left = owner.path.read_text()
        owner.close()
        owner.path.write_text(left)  # as an owner that was killed leaves it
        record.Record(folder).close()
        assert recorded.wait(1) < 0
        assert tagged.wait(1) < 0
        assert somebody_else.poll() is None
    finally:
        for process in (recorded, tagged, somebody_else):
            process.kill()
            process.wait()


def sleeping(**env: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sleep", "60"], env=env)


def ended(processes: list[Identity]) -> None:
    deadline_s = time.monotonic() + 10
    while any(one.alive() for one in processes):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_pid_file_that_names_another_program_by_now_is_forgotten(tmp_path: Path) -> None:
    pid_file = tmp_path / "postmaster.pid"
    code = "import signal; print('here', flush=True); signal.pause()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ours:  # noqa: S603 - as PostgreSQL's names its data
        assert ours.stdout
        ours.stdout.readline()
        pid_file.write_text(f"{ours.pid}\n{tmp_path}\n")
        postgres.forget_foreign_pid(tmp_path)
        assert pid_file.exists()
        ours.kill()
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n")
    postgres.forget_foreign_pid(tmp_path)
    assert not pid_file.exists()


def test_a_port_that_another_program_took_is_replaced(tmp_path: Path) -> None:
    first = ports.keep(tmp_path / "ports.json", ["a", "b"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["a"]))
        other.listen()
        second = ports.keep(tmp_path / "ports.json", ["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_production_refuses_the_local_default(tmp_path: Path) -> None:
    environ = NOTHING_GIVEN | {"SLUICE_ENV": "production", "REDIS_URL": "redis://127.0.0.1:1/0"}
    with pytest.raises(NotReady, match=r"production starts no local services: set DATABASE_URL$"):
        stack.start(tmp_path / "local", environ=environ, wanted=DATA)
    assert not (tmp_path / "local").exists()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("postgres", "postgresql://a:b@127.0.0.1:1/c"),
        ("redis", "redis://127.0.0.1:1/0"),
        ("anvil", "http://127.0.0.1:1"),
        ("tron", "http://127.0.0.1:1"),
    ],
)
def test_a_given_url_that_nobody_answers_is_an_error_and_never_replaced(tmp_path: Path, name: str, url: str) -> None:
    variable = stack.SERVICES[name].VARIABLE
    with pytest.raises(NotReady, match=f"{variable} is given, but what should be at 127.0.0.1:1 does not answer"):
        stack.start(tmp_path / "local", environ=NOTHING_GIVEN | {variable: url}, wanted=[name])
    assert not (tmp_path / "local").exists()


def test_an_owner_without_its_database_is_an_error(tmp_path: Path) -> None:
    environ = NOTHING_GIVEN | {"DATABASE_OWNER_URL": "postgresql://a:b@127.0.0.1:1/c"}
    with pytest.raises(NotReady, match="give both, or neither"):
        stack.start(tmp_path / "local", environ=environ, wanted=DATA)


def test_a_given_url_is_used_and_its_service_not_started(folder: Path) -> None:
    services = stack.start(folder, environ=os.environ, wanted=DATA)
    try:
        assert services.children == []
        assert "DATABASE_URL" not in services.env
    finally:
        services.stop()


def test_local_secrets_are_for_their_owner_alone_and_stay(start: Callable[[], stack.Services], folder: Path) -> None:
    start().stop()
    files = sorted((folder / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in [*files, folder / "redis" / "redis.conf"]} == {0o600}
    before = [file.read_text() for file in files]
    assert len(set(before)) == len(before)
    start()
    assert [file.read_text() for file in files] == before
    assert stat.S_IMODE((folder / "run" / "services.json").stat().st_mode) == 0o600


@pytest.fixture
def published(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that leads to a folder whose owner, this process, says that all is up."""
    owner = record.Record(tmp_path)
    owner.publish({
        "DATABASE_URL": "w", "DATABASE_OWNER_URL": "o", "REDIS_URL": "r", "KEYSTORE_PASSPHRASE_FILE": "p",
        "SIGNER_DATABASE_URL": "s", "APPROVAL_KEY": "k",
    })  # fmt: skip
    yield {"SLUICE_LOCAL_DIR": str(tmp_path)}
    owner.close()


def test_discovered_adds_only_what_is_not_given(published: dict[str, str]) -> None:
    assert local.discovered({"REDIS_URL": "mine"} | published) == {
        "DATABASE_URL": "w",
        "DATABASE_OWNER_URL": "o",
        "APPROVAL_KEY": "k",
    }


def test_discovered_never_pairs_a_given_database_with_the_local_owner(published: dict[str, str]) -> None:
    assert local.discovered({"DATABASE_URL": "mine"} | published) == {"REDIS_URL": "r", "APPROVAL_KEY": "k"}


def test_only_the_signer_discovers_the_passphrase(published: dict[str, str]) -> None:
    assert "KEYSTORE_PASSPHRASE_FILE" not in local.discovered({"SLUICE_ROLE": "worker"} | published)
    assert local.discovered({"SLUICE_ROLE": "signer"} | published)["KEYSTORE_PASSPHRASE_FILE"] == "p"


def test_each_role_discovers_what_is_its_own(published: dict[str, str]) -> None:
    found = {role: local.discovered({"SLUICE_ROLE": role} | published) for role in ("web", "worker", "beat", "signer")}
    assert {role: env.get("APPROVAL_KEY") for role, env in found.items()} == {
        "web": "k",
        "worker": None,
        "beat": None,
        "signer": "k",
    }
    assert {role for role, env in found.items() if env["DATABASE_URL"] == "s"} == {"signer"}
    assert not any("SIGNER_DATABASE_URL" in env for env in found.values())


def test_a_signer_that_the_application_starts_takes_its_own_login(published: dict[str, str]) -> None:
    inherited = local.discovered(published) | published
    assert local.discovered(inherited | {"SLUICE_ROLE": "signer"})["DATABASE_URL"] == "s"
    given = published | {"DATABASE_URL": "mine", "SLUICE_ROLE": "signer"}
    assert "DATABASE_URL" not in local.discovered(given)


def test_nothing_is_discovered_when_the_owner_is_gone(published: dict[str, str]) -> None:
    path = Path(published["SLUICE_LOCAL_DIR"]) / "run" / "services.json"
    content = json.loads(path.read_text())
    content["owner"]["started_ticks"] += 1  # another process by the same pid
    path.write_text(json.dumps(content))
    assert local.discovered({} | published) == {}


def test_half_a_dump_of_the_chain_is_replaced_by_the_last_whole_one(tmp_path: Path) -> None:
    whole = '{"blocks":[],"historical_states":null}'
    (tmp_path / anvil.STATE).write_text(whole)
    anvil.keep_copy(tmp_path)
    (tmp_path / anvil.STATE).write_text(whole[:10])
    anvil.keep_copy(tmp_path)
    anvil.repair(tmp_path)
    assert (tmp_path / anvil.STATE).read_text() == whole


def test_a_node_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\nfor last in "$@"; do :; done\necho other > "$last/anvil.tgz"\n')
    npm.chmod(0o755)
    with pytest.raises(NotReady, match="is not what it was"):
        anvil.installed({"PATH": f"{tmp_path}:/usr/bin:/bin"}, tools=tmp_path / "tools")
    assert not list((tmp_path / "tools").iterdir())


def test_without_npm_on_the_machine_the_wheels_one_is_used(tmp_path: Path) -> None:
    node, npm = anvil.npm({"PATH": str(tmp_path)})
    done = subprocess.run(  # noqa: S603 - what npm() found
        [node, npm, "--version"], check=True, capture_output=True, text=True, env={"HOME": str(tmp_path)}
    )
    assert int(done.stdout.split(".")[0]) >= 10


ORDINARY = """
import os, pathlib, sys
import psycopg
from config.local import stack
services = stack.start(pathlib.Path(sys.argv[1]), environ={}, wanted=["postgres"])
with psycopg.connect(services.env["DATABASE_URL"]) as db:
    print(os.geteuid(), *db.execute("SELECT current_user, pg_catalog.version()").fetchone())
services.stop()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="this run is an ordinary user's already")
def test_it_starts_for_an_ordinary_user_as_well_as_for_root() -> None:
    user = pwd.getpwnam("nobody")
    env = {"PYTHONPATH": os.pathsep.join([str(place.ROOT), *(path for path in sys.path if path.endswith("-packages"))])}
    run_as = functools.partial(
        subprocess.run, env=env, user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, text=True
    )
    pythons = [path for path in (sys.executable, "/usr/bin/python3") if Path(path).exists()]
    usable = [python for python in pythons if _can(run_as, python)]
    if not usable:
        pytest.skip("neither this interpreter nor the system's can be run by `nobody` on this checkout")
    data = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="sluice-ordinary-"))
    try:
        os.chown(data, user.pw_uid, user.pw_gid)
        done = run_as([usable[0], "-c", ORDINARY, str(data / "local")], cwd="/", check=False)
        assert done.stdout.startswith(f"{user.pw_uid} sluice_web PostgreSQL 18"), done.stderr
        assert (data / "local" / "postgres" / "data").stat().st_uid == user.pw_uid
    finally:
        shutil.rmtree(data)


def _can(run_as: Callable[..., subprocess.CompletedProcess[str]], python: str) -> bool:
    try:
        return run_as([python, "-c", "import psycopg, config.local.stack"], cwd="/", check=False).returncode == 0
    except PermissionError:
        return False
