"""Payments end to end with everything on, beside a bare loop that signs, sends and polls on the same node."""

# ruff: noqa: T201 - it prints its findings

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

import django

from tests.bench import gas, place, table

PAYMENTS = int(os.environ.get("BENCH_PAYMENTS", "1000"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))
FOLDER = place.ROOT / ".local" / "bench" / "house"
NETWORKS = ("ethereum", "tron")


def run() -> None:
    """Stand a whole house up, pay in turn both ways on both chains, print medians."""
    os.environ |= place.NOWHERE | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    django.setup()
    from tests.flows import house  # whose program needs Django's apps

    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with house.standing(FOLDER) as standing:
        env, chains = standing.env(), standing.sandbox["chains"]
        loads = {
            name: load for network in NETWORKS for name, load in _loads(env, network, chains[network]["rpc"]).items()
        }
        measured: dict[str, list[float]] = {name: [] for name in loads}
        for turn in range(REPEATS):
            for name in random.sample(list(loads), len(loads)):
                measured[name].append(loads[name]())
                print(f"{turn + 1}/{REPEATS}  {name:44}{measured[name][-1]:10.1f}", flush=True)
        of_gas = gas.line(chains["ethereum"]["rpc"])
    print(f"\nchain, medians of {REPEATS} runs of {PAYMENTS} payments each, in turn; {table.machine()}")
    print(
        "from the first signature (or the opening of the lanes) to the last payment's final depth, that wait included\n"
    )
    print("\n".join(table.rows(measured, {_ours(network): _bare(network) for network in NETWORKS})))
    print(f"\n{of_gas}")
    shutil.rmtree(FOLDER)


def _loads(env: Mapping[str, str], network: str, rpc_url: str) -> dict[str, Callable[[], float]]:
    return {
        _bare(network): lambda: _rate(env, "tests.bench.bare", network, rpc_url),
        _ours(network): lambda: _rate(env, "tests.bench.payments", network),
    }


def _bare(network: str) -> str:
    return f"bare loop, {network}"


def _ours(network: str) -> str:
    return f"withdrawals, {network}"


def _rate(env: Mapping[str, str], module: str, *arguments: str) -> float:
    """Payments per second of one run of a program in a process of its own."""
    command = [sys.executable, "-m", module, *arguments, str(PAYMENTS)]
    done = subprocess.run(command, check=False, cwd=place.ROOT, env=env, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return PAYMENTS / float(done.stdout.split()[-1])
