"""Faults that a test orders: what happens to the next requests for a path.

Some keep the request from the node, some let it take effect and spoil the reply, so that a client cannot tell which.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Final

# fmt: off
ACTIONS: Final = {
    "delay":        "wait `seconds`, then answer",
    "reset_before": "reset the connection; the request had no effect",
    "reset_after":  "reset the connection; the request had its effect",
    "status":       "answer with HTTP status `code`; the request had no effect",
    "status_after": "answer with HTTP status `code`; the request had its effect",
    "empty":        "answer with {}; the request had its effect",
    "lie":          "overwrite the reply's keys by those of `reply`; the request had its effect",
    "replace":      "answer with `reply` alone; the request had no effect",
}
# fmt: on


@dataclass(slots=True)
class Fault:
    """One order; it is spent after `times` requests whose path ends with `match` and whose body has `contains`."""

    match: str
    action: str
    times: int = 1
    contains: str = ""
    seconds: float = 1.0
    code: int = 503
    reply: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"no such fault: {self.action}")


class Faults:
    """The faults that are still to happen, in the order of their arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> int:
        """Call off all faults; tell how many there were."""
        with self._lock:
            number = len(self._waiting)
            self._waiting = []
            return number

    def take(self, path: str, body: str) -> Fault | None:
        """Find the fault for this request and count it."""
        with self._lock:
            for fault in self._waiting:
                if path.endswith(fault.match) and fault.contains in body:
                    fault.times -= 1
                    self._waiting = [waiting for waiting in self._waiting if waiting.times > 0]
                    return fault
            return None
