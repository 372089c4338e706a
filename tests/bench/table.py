"""Measured rates as people read them: medians, spread, ratios, and what it ran on."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path


def machine() -> str:
    """What it ran on."""
    facts = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if ":" in line
    )
    model = next((value.strip() for name, value in facts.items() if name.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, python {platform.python_version()}, load {load}"


def rows(measured: Mapping[str, Sequence[float]], ratios: Mapping[str, str]) -> list[str]:
    """A line per load: its median rate per second, from where to where it went, its ratio to another's."""
    lines = [f"{'':54}{'per second':>12}  {'from … to':>19}  ratio"]
    for name, values in measured.items():
        if not values:
            lines.append(f"{name:54}{'–':>12}")
            continue
        median = statistics.median(values)
        spread = f"{min(values):,.0f} … {max(values):,.0f}"
        line = f"{name:54}{median:>12,.0f}  {spread:>19}"
        other = ratios.get(name)
        if other and measured.get(other):
            line += f"  {median / statistics.median(measured[other]):.2f} of {other}"
        lines.append(line)
    return lines
