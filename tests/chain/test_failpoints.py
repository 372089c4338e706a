"""Failpoints are deadly only where the local default was told so; test_house compares their table with the source."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chain import failpoints
from tests import services

PROGRAM = """
from chain.failpoints import failpoint
for number in range(3):
    failpoint("broadcast.after_send")
    print(number, flush=True)
"""


def run(**env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_FAILPOINT")}
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM], cwd=services.ROOT, env=kept | env, check=False, capture_output=True, text=True
    )


def test_a_process_dies_at_the_hit_that_was_asked_for_and_does_nothing_more(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    died = run(SLUICE_FAILPOINT="broadcast.after_send:2", SLUICE_FAILPOINTS_SEEN=str(seen))
    assert (died.returncode, died.stdout) == (failpoints.EXIT_STATUS, "0\n")
    assert seen.read_text() == "broadcast.after_send\n" * 2


def test_production_knows_no_failpoints(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    lived = run(SLUICE_ENV="production", SLUICE_FAILPOINT="broadcast.after_send", SLUICE_FAILPOINTS_SEEN=str(seen))
    assert (lived.returncode, lived.stdout) == (0, "0\n1\n2\n")
    assert not seen.exists()


def test_a_failpoint_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(failpoints.UnknownPoint):
        failpoints.armed({failpoints.DIE_AT: "signed.before_comit"})


def test_an_unarmed_process_has_nothing_to_look_up() -> None:
    assert failpoints.armed({}) is None
