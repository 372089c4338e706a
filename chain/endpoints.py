"""A network's several nodes: sends go to all of them, a read to the first that answers."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import requests

from chain.gateway import Answer, ChainError, Retryable


class Unreachable(Retryable):
    """Nothing came back, or nothing that is an answer; whether the question arrived is not known."""


class Client(Protocol):
    """One node."""

    url: str


C = TypeVar("C", bound=Client)
T = TypeVar("T")


class Endpoints(Generic[C]):
    """The nodes of one network during one sweep; one that gave no answer is not asked again in it."""

    def __init__(self, clients: Sequence[C]) -> None:
        self._clients = list(clients)
        self._silent: set[str] = set()

    def first(self, ask: Callable[[C], T]) -> T:
        """The answer of the first node that gives one.

        Raises: what the last one refused with; Retryable when none answered.
        """
        last: ChainError = Unreachable("no endpoint answers")
        for client in self._asked():
            try:
                return ask(client)
            except Unreachable as silent:
                self._silent.add(client.url)
                last = silent
            except ChainError as refused:
                last = refused
        raise last

    def every(self, ask: Callable[[C], str]) -> list[Answer]:
        """What every node said to the same request; a refusal or silence is an answer too, never an exception."""
        answers = []
        for client in self._asked():
            try:
                answers.append(Answer(label(client.url), accepted=True, text=ask(client)))
            except Unreachable as silent:
                self._silent.add(client.url)
                answers.append(Answer(label(client.url), accepted=False, text=f"no answer: {silent}"))
            except ChainError as refused:
                answers.append(Answer(label(client.url), accepted=False, text=str(refused)))
        return answers

    def _asked(self) -> list[C]:
        return [client for client in self._clients if client.url not in self._silent]


def session(url: str) -> requests.Session:
    """A connection pool for one node; a node on loopback is never asked through the machine's proxy."""
    http = requests.Session()
    http.trust_env = urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost")
    return http


def label(url: str) -> str:
    """Host and port: a provider's key may stand in the path."""
    return urlsplit(url).netloc.rpartition("@")[2]
