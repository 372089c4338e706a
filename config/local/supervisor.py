"""Starts what died again: a worker, a web server, PostgreSQL; whoever kills one of them sees it come back.

Production runs the same Procfile under any process manager (honcho is among the requirements). Here honcho would not
do: it stops everything when one process dies, and the local default is to show that nothing is lost when one does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from config.local.processes import Child
from config.local.stack import Services

POLL_S = 0.2
TEND_EVERY_S = 5.0
BACKOFF_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
HEALTHY_AFTER_S = 30.0  # one that ran this long starts again at once


@dataclass(slots=True)
class Watched:
    """A child and what is known of its latest start."""

    child: Child
    started_at_s: float
    failures: int = 0
    tended_at_s: float = 0.0
    due_at_s: float | None = None  # set while it is down
    announced: bool = True


class Supervisor:
    """Looks after the children of one local default until it is told to stop."""

    def __init__(self, services: Services, *, say: Callable[[str], None]) -> None:
        self.services = services
        self.say = say
        self.watched = [Watched(child, time.monotonic()) for child in services.children]

    def run(self, until: Callable[[], bool]) -> None:
        """Watch until the condition holds; a signal's exception ends it too."""
        while not until():
            for one in self.watched:
                self.look_after(one, now_s=time.monotonic())
            time.sleep(POLL_S)

    def look_after(self, one: Watched, *, now_s: float) -> None:
        """Notice a death, start again when that is due, and say when it works."""
        name = one.child.spec.name
        if one.due_at_s is not None:
            if now_s >= one.due_at_s:
                self.services.restart(one.child)
                one.started_at_s, one.due_at_s, one.announced = now_s, None, False
        elif how := one.child.died():
            one.failures = 1 if now_s - one.started_at_s > HEALTHY_AFTER_S else one.failures + 1
            wait_s = BACKOFF_S[min(one.failures, len(BACKOFF_S)) - 1]
            one.due_at_s = now_s + wait_s
            self.say(f"{name} ended ({how}); starting it again" + (f" in {wait_s:.0f} s" if wait_s else ""))
        elif not one.announced and one.child.spec.ready():
            one.announced = True
            self.say(f"{name} is back after {now_s - one.started_at_s:.1f} s")
        elif now_s - one.tended_at_s > TEND_EVERY_S:
            one.tended_at_s = now_s
            one.child.spec.tend()
