"""What a run found, as a table."""

from collections import Counter

from tests.chaos import run, schedule

COLUMNS = ("completed", "refunded", "double", "lost", "stuck", "stray")
SHOWN = 12


def in_time(result: run.Result) -> bool:
    """Whether everything was finished soon enough after the faults."""
    return all(seconds <= run.PATIENCE_S for seconds in result.finished_s.values())


def lines(options: run.Options, result: run.Result) -> list[str]:
    """The table, the faults, and whatever does not hold."""
    who = "the naive rule" if options.is_naive else "sluice"
    told = ["", f"{who}, {options.each} payments per chain, seed {options.seed}", ""]
    told.append(f"{'':10}" + "".join(f"{name:>11}" for name in COLUMNS) + f"{'faults':>9}{'finished':>10}")
    for name, found in result.found.items():
        faults = sum(number for kind, number in result.done.items() if kind.startswith(f"{name} "))
        seconds = result.finished_s[name]
        when = "never" if seconds == float("inf") else f"{seconds:.0f} s"
        told.append(f"{name:10}" + "".join(f"{getattr(found, one):11}" for one in COLUMNS) + f"{faults:9}{when:>10}")
    told += ["", *_faults(result.done, "faults"), *_faults(result.missed, "not possible then")]
    texts = [text for found in result.found.values() for text in found.texts]
    told += ["", *(f"  PROBLEM {text}" for text in [*result.problems, *texts[:SHOWN]])]
    if len(texts) > SHOWN:
        told.append(f"  … and {len(texts) - SHOWN} more")
    late = not in_time(result)
    told.append("everybody was paid once or refunded" if result.ok else "it does NOT hold")
    return [*told, f"not finished within {run.PATIENCE_S:.0f} s"] if late else told


def _faults(counts: Counter[str], title: str) -> list[str]:
    if not counts:
        return []
    order = list(schedule.KINDS)
    names = sorted(
        counts, key=lambda name: (name.partition(" ")[0] in ("ethereum", "tron"), order.index(_kind(name)), name)
    )
    return [f"{title}: " + ", ".join(f"{name} {counts[name]}" for name in names)]


def _kind(name: str) -> str:
    first, _, rest = name.partition(" ")
    return rest if first in ("ethereum", "tron") else name
