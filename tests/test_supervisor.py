"""The supervisor's rules, and what its processes are told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local import procfile, record, stack
from config.local.processes import Child, Spec, identity
from config.local.supervisor import BACKOFF_S, HEALTHY_AFTER_S, Supervisor, Watched


def sleeper(tmp_path: Path, *, command: str = "exec sleep 1000") -> Spec:
    return Spec(name="sleeper", command=["/bin/sh", "-c", command], env={}, log=tmp_path / "log", ready=lambda: True)


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[stack.Services]:
    """An owner of nothing yet."""
    services = stack.Services(env={}, signer_env={}, children=[], record=record.Record(tmp_path))
    yield services
    services.stop()


def killed(child: Child) -> None:
    assert child.process
    child.process.kill()
    child.process.wait()


def test_a_first_death_is_answered_at_once_and_each_further_one_later(owned: stack.Services, tmp_path: Path) -> None:
    child, said = owned.start(sleeper(tmp_path)), list[str]()
    supervisor, one, now_s = Supervisor(owned, say=said.append), Watched(child, started_at_s=0.0), 1.0
    for wait_s in (*BACKOFF_S, BACKOFF_S[-1]):
        killed(child)
        supervisor.look_after(one, now_s=now_s)
        assert one.due_at_s == now_s + wait_s
        supervisor.look_after(one, now_s=now_s + wait_s - 0.01)
        assert child.died()
        now_s += wait_s
        supervisor.look_after(one, now_s=now_s)
        supervisor.look_after(one, now_s=now_s)
        assert child.died() is None
    assert said[:2] == ["sleeper ended (killed by SIGKILL); starting it again", "sleeper is back after 0.0 s"]


def test_one_that_ran_long_is_forgiven(owned: stack.Services, tmp_path: Path) -> None:
    child = owned.start(sleeper(tmp_path))
    supervisor, one = Supervisor(owned, say=lambda _line: None), Watched(child, started_at_s=0.0, failures=4)
    killed(child)
    supervisor.look_after(one, now_s=HEALTHY_AFTER_S + 1)
    assert one.due_at_s == HEALTHY_AFTER_S + 1


def test_what_a_killed_process_leaves_in_its_group_ends_before_it_starts_again(
    owned: stack.Services, tmp_path: Path
) -> None:
    child = owned.start(sleeper(tmp_path, command="sleep 1000 & echo $!; wait"))
    while not (text := (tmp_path / "log").read_text()):
        time.sleep(0.01)
    orphan = identity(int(text))
    killed(child)
    assert orphan.alive()
    owned.restart(child)
    deadline_s = time.monotonic() + 5
    while orphan.alive() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not orphan.alive()


def test_the_signer_alone_is_told_where_the_passphrase_is(owned: stack.Services, tmp_path: Path) -> None:
    owned.env["PORT"], owned.signer_env["KEYSTORE_PASSPHRASE_FILE"] = "8000", "the file"
    specs = procfile.specs(owned, {"KEYSTORE_PASSPHRASE_FILE": "given"}, data_dir=tmp_path)
    told = {spec.name: spec.env.get("KEYSTORE_PASSPHRASE_FILE") for spec in specs}
    assert told == {"web": None, "worker": None, "webhooks": None, "signer": "given", "beat": None}


def test_each_process_gets_the_keys_and_the_login_of_its_role(owned: stack.Services, tmp_path: Path) -> None:
    owned.env |= {"PORT": "8000", "DATABASE_URL": "application", "APPROVAL_KEY": "key"}
    owned.signer_env["SIGNER_DATABASE_URL"] = "signer"
    envs = {spec.name: spec.env for spec in procfile.specs(owned, {}, data_dir=tmp_path)}
    assert {name for name, env in envs.items() if "APPROVAL_KEY" in env} == {"web", "signer"}
    assert {name for name, env in envs.items() if env["DATABASE_URL"] == "signer"} == {"signer"}
    assert not any("SIGNER_DATABASE_URL" in env for env in envs.values())
