"""Many at once: jobs in threads that start together, and how often each outcome came."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


def at_once(jobs: Sequence[Callable[[], object]], *, refusals: tuple[type[Exception], ...] = ()) -> Counter[str]:
    """One thread per job, each with its own connection, open before all start; an outcome is "done" or a refusal."""
    start = threading.Barrier(len(jobs))

    def work(job: Callable[[], object]) -> str:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            job()
        except refusals as refusal:
            return type(refusal).__name__
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return Counter(pool.map(work, jobs))
