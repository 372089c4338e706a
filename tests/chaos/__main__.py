"""`python -m tests.chaos --n 250 --seed 1 [--chains ethereum,tron] [--naive]`: exits 0 only if all were paid once."""

# ruff: noqa: T201 - it prints its findings

import argparse
import os
import shutil
import signal
import sys

import django

from tests.bench import place

FOLDER = place.ROOT / ".local" / "chaos"


def main() -> int:
    """Run it; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=250, help="payments per chain")
    parser.add_argument("--seed", type=int, default=1, help="replays the schedule")
    parser.add_argument("--chains", default="ethereum,tron")
    parser.add_argument("--naive", action="store_true", help="pay by the rule that pays twice")
    parser.add_argument("--keep", action="store_true", help="leave the logs")
    asked = parser.parse_args()
    os.environ |= place.NOWHERE | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    django.setup()
    from tests.chaos import nodes, run, summary  # need Django's apps

    options = run.Options(asked.n, asked.seed, tuple(asked.chains.split(",")), asked.naive)
    if set(options.networks) - set(nodes.NODES) or asked.n < 1:
        parser.error(f"--chains are some of {', '.join(nodes.NODES)}, --n is 1 or more")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = FOLDER / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("building the house …", flush=True)
    with run.staged(folder, options.networks) as stage:
        result, _ = run.Run(options, lambda line: print(line, flush=True)).go(stage)
    print("\n".join(summary.lines(options, result)), flush=True)
    if not asked.keep:
        shutil.rmtree(folder)
    return 0 if result.ok and summary.in_time(result) else 1


if __name__ == "__main__":
    sys.exit(main())
