"""How often somebody may call: a sliding window counted in Redis, exact under concurrency."""

from dataclasses import dataclass
from math import ceil

import limits
import limits.storage
import limits.strategies
import structlog
from django.conf import settings
from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rest_framework import exceptions

from payouts.api import base

log = structlog.get_logger(__name__)
POOLED = 32  # connections of one process for counting calls; more threads than that take turns


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a window still allows, and when the oldest call leaves it."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The same for the caller's eyes."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class RateLimit:
    """At most so many calls in a sliding window, exact under concurrency (Redis, Lua)."""

    def __init__(self, rule: str) -> None:
        self.item = limits.parse(rule)
        self._strategy: limits.strategies.MovingWindowRateLimiter | None = None

    def hit(self, *names: str, money: bool) -> None:
        """Count one call.

        Raises: Throttled over the limit; Unavailable for a call that moves money while Redis is away (reads go on).
        """
        try:
            strategy = self._connected()
            if strategy.hit(self.item, *names):
                return
            wait_s = strategy.get_window_stats(self.item, *names).reset_time - base.now().timestamp()
        except RedisError as error:
            if money:
                raise base.Unavailable from error
            log.warning("rate_limit.uncounted", error=str(error))
            return
        raise exceptions.Throttled(wait=max(1, wait_s))

    def allowance(self, *names: str) -> Allowance | None:
        """What is left to the caller after `hit`; None while Redis is away."""
        try:
            window = self._connected().get_window_stats(self.item, *names)
        except RedisError:
            return None
        wait_s = window.reset_time - base.now().timestamp()
        return Allowance(self.item.amount, window.remaining, max(0, ceil(wait_s)))

    def _connected(self) -> limits.strategies.MovingWindowRateLimiter:
        if self._strategy is None:
            pool = BlockingConnectionPool.from_url(
                settings.RATE_LIMITS_STORAGE,
                # A full pool makes a call wait its turn: it is not an absent Redis, past which reads go uncounted.
                max_connections=POOLED,
                timeout=2,
                socket_timeout=1,
                socket_connect_timeout=1,
                # A stale connection is opened anew, but nobody's call waits for a lost Redis to come back.
                retry=Retry(NoBackoff(), 1),
            )
            storage = limits.storage.storage_from_string(
                settings.RATE_LIMITS_STORAGE,
                connection_pool=pool,  # type: ignore[arg-type]  # handed on to its RedisStorage, which takes one
            )
            self._strategy = limits.strategies.MovingWindowRateLimiter(storage)
        return self._strategy
