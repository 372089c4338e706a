"""Movements that many threads of a process post at the same time go to the database in one call and one commit.

A thread that finds nobody at the counter posts what is waiting, its own movement among it; the others wait for their
answer. A posting costs a round trip, a commit and most of a processor's attention for each call, whoever is in it.

- Nobody has an answer before the commit that holds it has returned; each has his own answer or his own refusal.
- Whatever goes wrong with a call as a whole (a lost connection, a lock that somebody keeps, a race for one id), each
  caller posts alone after that. If the commit had happened after all, the repeat finds it: ids make repeats harmless.
- A leader's call waits 100 ms for a row, not longer: one account that is held does not hold up who does not want it.
- Who leads posts one call and hands over: no thread works for the others for longer than that.
"""

import threading
from collections import deque
from contextlib import suppress

from django.db import Error, OperationalError

from ledger import bulk, posting
from ledger.posting import LedgerRefused, Movement, Posted

LEADERS = 2  # while one call waits for its commit, the next one is worked on
AT_MOST = 64  # movements in one call


class _Waiting:
    """A caller's movement; `bell` is held until there is an answer, or the lead to take."""

    __slots__ = ("answer", "bell", "leads", "movement")

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.answer: Posted | LedgerRefused | None = None
        self.leads = False
        self.bell = threading.Lock()
        self.bell.acquire()


class _Counter:
    """Who waits, and how many lead."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[_Waiting] = deque()
        self.leading = 0

    def enter(self, mine: _Waiting) -> bool:
        """Take a place; whether it is the leader's."""
        with self.lock:
            if self.leading < LEADERS:
                self.leading += 1
                mine.leads = True
                return True
            self.waiting.append(mine)
            return False

    def company(self) -> list[_Waiting]:
        """Who goes into the leader's call."""
        with self.lock:
            return [self.waiting.popleft() for _ in range(min(len(self.waiting), AT_MOST - 1))]

    def hand_over(self) -> None:
        """Let the first who waits lead the next call; without one there is a leader less."""
        with self.lock:
            if not self.waiting:
                self.leading -= 1
                return
            following = self.waiting.popleft()
            following.leads = True
        following.bell.release()


_counter = _Counter()


def post(movement: Movement) -> Posted:
    """Post one movement in a transaction of its own or one that it shares with other callers' movements.

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    posting.whole(movement.amount_units)
    mine = _Waiting(movement)
    if not _counter.enter(mine):
        mine.bell.acquire()
    if mine.leads:
        return _lead(mine)
    if mine.answer is None:
        return posting.post_single(movement)
    if isinstance(mine.answer, LedgerRefused):
        raise mine.answer
    return mine.answer


def _lead(mine: _Waiting) -> Posted:
    company: list[_Waiting] = []
    try:
        company = _counter.company()
        if company:
            _answer([mine, *company])
        else:
            with suppress(OperationalError):
                return posting.post_single(mine.movement, briefly=True)
    finally:
        _counter.hand_over()
        for one in company:
            one.bell.release()
    if isinstance(mine.answer, LedgerRefused):
        raise mine.answer
    return mine.answer or posting.post_single(mine.movement)


def _answer(crowd: list[_Waiting]) -> None:
    """Give everybody an answer, or nobody: then each goes alone and meets his own error."""
    try:
        found = bulk.post_each([one.movement for one in crowd])
    except (Error, LedgerRefused, TypeError, ValueError):
        return
    for one, answer in zip(crowd, found, strict=True):
        one.answer = answer
