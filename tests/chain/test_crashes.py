"""Invariants 3, 4, 7: a worker dies at every failpoint of every path, another goes on: one effect or one refund."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain import failpoints
from tests import databases
from tests.chain import labs
from tests.chain.crash import desk, place
from tests.chain.crash.paths import FAMILIES, PATHS, WAYS

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]
MONEY_IN = ("follow", "deposit.", "payment_look.")  # see payouts/test_deposit_crashes
EVERY_HIT = "CRASH_AT_EVERY_HIT" in os.environ
Build = Callable[[str], place.Place]


@pytest.fixture(scope="session")
def stage(anvil_url: str, tron_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[place.Stage]:
    """One warm process for all of this process's cases."""
    with place.stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture
def build(
    committed: databases.Database, stage: place.Stage, ethereum: labs.EvmLab, tron: labs.TronLab
) -> Iterator[Build]:
    """Make a place on a network; both chains are final sooner."""
    chains: dict[str, labs.Lab] = {"ethereum": ethereum, "tron": tron}
    lag = tron.ask("dev/params")["solid_lag"]
    tron.ask("dev/params", solid_lag=desk.DEPTH)
    yield lambda network: place.build(stage, chains[network], committed)
    tron.ask("dev/params", solid_lag=lag)


def chosen(name: str, points: list[str]) -> list[str]:
    """Each failpoint where the path comes to it for the last time, behind all that makes this path another one."""
    if name == "complete" or EVERY_HIT:
        return points
    last = {point.partition(":")[0]: point for point in points}
    return [point for point in last.values() if re.search(PATHS[name].only, point)]


@pytest.mark.parametrize(("name", "network"), WAYS)
def test_wherever_a_worker_dies_there_is_one_payment_or_one_refund(
    build: Build, tmp_path: Path, name: str, network: str
) -> None:
    here = build(network)
    points = here.record(name, tmp_path / "seen")
    problems = [problem for point in chosen(name, points) for problem in here.crash(point)]
    assert problems == []
    assert here.proof() == []


def test_the_paths_come_to_every_failpoint_there_is(build: Build, tmp_path: Path) -> None:
    reached = set()
    places = {network: build(network) for network in FAMILIES}
    for name, network in WAYS:
        points = places[network].record(name, tmp_path / f"{name} {network}")
        reached |= {point.partition(":")[0] for point in points}
    assert reached == {point for point in failpoints.POINTS if not point.startswith(MONEY_IN)}


@pytest.mark.parametrize("network", FAMILIES)
def test_the_enumeration_sees_it_paid_twice_when_a_lost_answer_is_taken_for_a_failure(
    build: Build, tmp_path: Path, network: str
) -> None:
    here = build(network)
    here.record("complete", tmp_path / "seen")
    problems = here.crash("broadcast.after_send:1", naive=True)
    assert "broadcast.after_send:1: arrived: 18000000, not 9000000" in problems
