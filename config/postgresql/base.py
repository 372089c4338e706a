"""The backend's connection: asked `SELECT 1` after a pause or when something came in, not at every request."""

import select
import time

from django.db.backends.postgresql import base

PAUSE_S = 30.0  # after which a firewall may have forgotten a connection that nobody has hung up


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that goes away hangs up, and that can be seen without asking it."""

    _seen_at_s = 0.0  # of the monotonic clock
    health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        """Leave out the question where nothing speaks for it."""
        if self.connection is not None and not self.health_check_done:
            now_s = time.monotonic()
            if now_s - self._seen_at_s < PAUSE_S and not self._has_news():
                self.health_check_done = True
            self._seen_at_s = now_s
        super().close_if_health_check_failed()

    def _has_news(self) -> bool:
        """Whether anything waits to be read on a connection that nobody has asked anything: an end, most likely."""
        if self.connection.closed:
            return True
        line = select.poll()
        line.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(line.poll(0))
