"""What the demo says on a terminal: chapters, facts that were checked, progress, tables."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO, TypeVar

T = TypeVar("T")
PAUSE_S = 1.5  # the API takes 60 calls a minute


class Differs(Exception):
    """Something is not as the story tells it; the demo ends here, non-zero."""


class Terminal:
    """Writes to one stream, with the seconds since the start in front."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._started = time.monotonic()

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._write(f"\n{self._elapsed()}  {title}\n")

    def say(self, line: str) -> None:
        """Tell one fact."""
        self._write(f"         {line}\n")

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Tell one fact that must be so.

        Raises: Differs.
        """
        if found != wanted:
            raise Differs(f"{what}: expected {wanted!r}, found {found!r}")
        self._write(f"       ✓ {what}: {found}\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
        """Print rows in columns; the columns in `right` are right-aligned."""
        lines = [list(head), *(list(row) for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        for line in lines:
            cells = (
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            self._write("         " + "  ".join(cells).rstrip() + "\n")

    def wait(self, what: str, look: Callable[[], tuple[str, T | None]], *, timeout_s: float) -> T:
        """Look until there is a result, telling each new state on the way.

        Raises: Differs when it takes longer than `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        told = ""
        while True:
            state, result = look()
            if state != told:
                self._write(f"{self._elapsed()}    {what}: {state}\n")
                told = state
            if result is not None:
                return result
            if time.monotonic() > deadline:
                raise Differs(f"{what}: still {state} after {timeout_s:.0f} s")
            time.sleep(PAUSE_S)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:6.1f}s"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
