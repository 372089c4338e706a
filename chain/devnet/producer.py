"""The block producer: a thread that makes a block whenever one is due."""

import threading
from typing import Final

from chain.devnet.node import Node

LOOK_AGAIN_S: Final = 0.1  # a lever may have changed the pace meanwhile


class Producer(threading.Thread):
    """Makes blocks until told to stop; a block that cannot be made stops the whole node."""

    def __init__(self, node: Node, *, stop: threading.Event) -> None:
        super().__init__(name="producer")
        self.failed = False
        self._node = node
        self._stop_asked = stop

    def run(self) -> None:
        """Make blocks."""
        try:
            while not self._stop_asked.wait(self._seconds_to_next()):
                with self._node.lock:
                    if self._node.mining and self._seconds_to_next() <= 0:
                        self._node.mine()
        except BaseException:
            self.failed = True
            raise
        finally:
            self._stop_asked.set()

    def _seconds_to_next(self) -> float:
        if not self._node.mining:
            return LOOK_AGAIN_S
        due_s = (self._node.next_slot_ms() - self._node.now_ms()) / 1000
        return min(max(0.0, due_s), LOOK_AGAIN_S)
