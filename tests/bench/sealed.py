"""What the sealer takes from the write rate: a load in short slices, beside the sealer and without it in turn."""

import json
import math
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import PIPE

from tests.bench import place

PAIRS = int(os.environ.get("BENCH_PAIRS", "12"))
SLICE_S = 1.0
CONFIDENCE = 0.95

Load = Callable[[], float]


@dataclass
class Pairs:
    """A load's rates, pair by pair, and what the sealer says of itself."""

    with_s: list[float] = field(default_factory=list)
    without_s: list[float] = field(default_factory=list)
    told: dict[str, float] = field(default_factory=dict)


class Sealer:
    """The process of tests/bench/sealer.py."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """It seals; what had been left was sealed before."""
        self._say()
        try:
            yield
        finally:
            self._say()

    def _say(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


def measure(load: Load, url: str) -> Pairs:
    """Pairs of slices, whichever of the two first."""
    found = Pairs()
    command, env = [sys.executable, "-m", "tests.bench.sealer"], os.environ | {"DATABASE_URL": url}
    with subprocess.Popen(  # noqa: S603 - our own
        command, env=env, cwd=place.ROOT, stdin=PIPE, stdout=PIPE, text=True
    ) as process:
        sealer = Sealer(process)
        for _ in range(PAIRS):
            for on in random.sample((True, False), 2):
                if on:
                    with sealer.at_work():
                        found.with_s.append(load())
                else:
                    found.without_s.append(load())
        said, _ = process.communicate()
        found.told = json.loads(said)
    return found


def rows(measured: dict[str, Pairs]) -> list[str]:
    """A line per load: the median of the pairs' ratios and its interval, the sealer's share, how long events wait."""
    cores = os.cpu_count() or 1
    lines = [
        f"\nthe sealer, four sweeps a second: {PAIRS} pairs of slices of {SLICE_S:g} s, with it and without it:",
        f"the median of the pairs' ratios and its interval ({CONFIDENCE:.0%}), and what it uses of {cores} processors",
    ]
    for name, pairs in measured.items():
        ratios = sorted(one / other for one, other in zip(pairs.with_s, pairs.without_s, strict=True))
        low, high = interval(ratios)
        told = pairs.told
        lines.append(
            f"{name:28}{statistics.median(ratios):.3f} ({low:.3f} … {high:.3f}), uses {told['cpu'] / cores:.1%};"
            f" {told['events']:,} events wait p99 {told['p99_s']:.2f} s, longest {told['longest_s']:.2f} s"
        )
    return lines


def interval(ordered: Sequence[float]) -> tuple[float, float]:
    """Between which two of the values the median lies, whatever their distribution: by the signs alone."""
    count, cut, outside = len(ordered), 0, 2 / 2 ** len(ordered)
    while (outside := outside + 2 * math.comb(count, cut + 1) / 2**count) <= 1 - CONFIDENCE:
        cut += 1
    return ordered[cut], ordered[count - 1 - cut]
