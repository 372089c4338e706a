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
from collections.abc import Sequence
from contextlib import suppress

from django.db import Error, IntegrityError

from ledger import bulk, calls, fresh, posting
from ledger.posting import LedgerRefused, Movement, Posted

LEADERS = 1  # two calls at a time measured 0.6 of one: each had half the company
AT_MOST = 64  # movements in one call
GATHER_S = 0.0005  # so long a leader waits, at most, for as many as the last call had


class _Waiting:
    """A caller's movement; `bell` is held until there is an answer, or the lead to take; `gate` while he gathers."""

    __slots__ = ("answer", "bell", "gate", "leads", "movement")

    gate: threading.Lock

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.answer: Posted | LedgerRefused | None = None
        self.leads = False
        self.bell = threading.Lock()
        self.bell.acquire()


class _Counter:
    """Who waits, how many lead, and who of them is still gathering."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[_Waiting] = deque()
        self.leading = 0
        self.gathering: _Waiting | None = None
        self.expected = 0  # company, by the last call's

    def enter(self, mine: _Waiting) -> bool:
        """Take a place; whether it is the leader's."""
        with self.lock:
            if self.gathering is None and self.leading < LEADERS:
                self.leading += 1
                self._lead(mine)
                return True
            self.waiting.append(mine)
            if self.gathering is not None and len(self.waiting) >= self.expected:
                self.gathering.gate.release()
                self.gathering = None
            return False

    def company(self, mine: _Waiting) -> list[_Waiting]:
        """Who goes into the leader's call: those that have come, or come in a moment when the last call had more."""
        if self.gathering is mine:
            mine.gate.acquire(timeout=GATHER_S)
        with self.lock:
            if self.gathering is mine:
                self.gathering = None
            company = [self.waiting.popleft() for _ in range(min(len(self.waiting), AT_MOST - 1))]
            self.expected = len(company)
            return company

    def hand_over(self) -> None:
        """Let the first who waits lead the next call; without one there is a leader less."""
        with self.lock:
            if not self.waiting or self.gathering is not None:
                self.leading -= 1
                return
            following = self.waiting.popleft()
            self._lead(following)
        following.bell.release()

    def _lead(self, mine: _Waiting) -> None:
        mine.leads = True
        if len(self.waiting) < self.expected:
            mine.gate = threading.Lock()
            mine.gate.acquire()
            self.gathering = mine


_counter = _Counter()


def post(movement: Movement) -> Posted:
    """Post one movement in a transaction of its own or one that it shares with other callers' movements.

    Raises: InsufficientFunds, IdempotencyConflict, LedgerRefused.
    """
    calls.whole(movement.amount_units)
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
        company = _counter.company(mine)
        _answer([mine, *company])
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
        found = _posted([one.movement for one in crowd])
    except (Error, LedgerRefused, TypeError, ValueError):
        return
    for one, answer in zip(crowd, found, strict=True):
        one.answer = answer


def _posted(movements: list[Movement]) -> Sequence[Posted | LedgerRefused]:
    """The short way, or, where one of them is no new one or not allowed, the way that tells which."""
    with suppress(IntegrityError):
        answers = fresh.post_together(movements)
        if answers:
            return answers
    return bulk.post_each(movements)
