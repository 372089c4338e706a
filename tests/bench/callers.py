"""Callers of post() in a process of their own: `python -m tests.bench.callers CALLERS SECONDS`, begins when told to."""

# ruff: noqa: T201 - what the bench reads

import sys

import django


def main(callers: int, seconds: float) -> None:
    """Say when ready, wait for a line, post, print how much that was per second."""
    django.setup()
    from tests.bench import loads

    print("ready", flush=True)
    sys.stdin.readline()
    print(loads.rate(loads.singles(), callers=callers, seconds=seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
