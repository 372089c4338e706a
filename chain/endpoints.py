"""A network's several nodes: sends go to all of them, a verdict needs two that say the same, a bad one is put aside."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from django.utils import timezone

from chain import endpoint_health, networks
from chain.gateway import Answer, ChainError, Disagreement, Permanent, Retryable
from chain.models import EndpointFault, EndpointHealth

WITNESSES = 2  # where so many nodes are given, so many must say the same


class Unreachable(Retryable):
    """Nothing came back, or nothing that is an answer; whether the question arrived is not known."""


class OtherChain(Permanent):
    """The node speaks for another network than the one it is configured for."""


class Client(Protocol):
    """One node."""

    url: str


C = TypeVar("C", bound=Client)
T = TypeVar("T")

FAULTS: dict[type[ChainError], EndpointFault] = {
    Unreachable: EndpointFault.SILENT,
    OtherChain: EndpointFault.OTHER_CHAIN,
}


class Endpoints(Generic[C]):
    """The nodes of one network during one sweep; each shows once that it is on the right chain before it is believed.

    A node that is put aside is asked again only when its time is over, or when there is no other.
    """

    def __init__(
        self,
        network: str,
        clients: Sequence[C],
        *,
        identify: Callable[[C], None],
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._network = network
        self._clients = _labelled(clients)
        # What was found out about a node that somebody asks on the side concerns nobody else.
        self._shared = {client.url for client in clients} == set(networks.network(network).endpoints)
        self._identify = identify
        self._identified: set[str] = set()
        self._clock = clock
        self._silent: set[str] = set()  # in this sweep

    @property
    def needed(self) -> int:
        """How many must agree."""
        return min(max(len(self._clients), 1), WITNESSES)

    def first(self, ask: Callable[[C], T]) -> T:
        """The answer of the first node that gives one, for what no verdict stands on.

        Raises: what the last one refused with; Retryable when none answered.
        """
        last: ChainError = Unreachable("no endpoint answers")
        for label in self._by_standing():
            try:
                return self._asked(label, ask)
            except ChainError as refused:
                last = refused
        raise last

    def gather(self, ask: Callable[[C], T]) -> dict[str, T]:
        """What each node in good standing says by itself, by its label; nothing is compared here.

        Raises: what the last one refused with; Retryable when fewer answered than must agree.
        """
        said: dict[str, T] = {}
        refused: dict[str, ChainError] = {}
        for label in self._trusted():
            try:
                said[label] = self._asked(label, ask)
            except ChainError as refusal:
                refused[label] = refusal
        self._judge(said, [*said], refused)
        if len(said) < self.needed:
            raise next(reversed(refused.values()), None) or self._too_few()
        return said

    def agreed(self, ask: Callable[[C], T], *, settled: bool = True, everybody: bool = False) -> T:
        """What two independent nodes say alike (one, where only one is given).

        Of three the odd one is put aside; two that differ leave no answer, and both are put aside. With `everybody` all
        nodes are asked, and those that were put aside before and agree now are in good standing again. What is not
        `settled` yet, near the chain's end, nodes may tell differently in good faith.

        Raises: Disagreement; what the last one refused with; Retryable when too few can be asked.
        """
        said: dict[str, T] = {}
        refused: dict[str, ChainError] = {}
        for label in self._trusted():
            try:
                said[label] = self._asked(label, ask)
            except ChainError as refusal:
                refused[label] = refusal
            if not everybody and len(_alike(said)) >= self.needed:
                break
        alike = _alike(said)
        agree = len(alike) >= self.needed
        if settled:
            self._judge(said, alike if agree else [], refused)
        if agree:
            if everybody:
                self._restore(alike)
            return said[alike[0]]
        if len(said) >= WITNESSES:
            raise Disagreement(f"{', '.join(said)} say different things")
        raise next(reversed(refused.values()), None) or self._too_few()

    def every(self, ask: Callable[[C], Sequence[object]], *, number: int) -> list[list[Answer]]:
        """What every node said to so many requests; a refusal or silence is an answer too, never an exception.

        Left out is who was silent lately, as long as there is another.
        """
        aside = {label for label in self._aside if self._aside[label].fault == EndpointFault.SILENT}
        answers: list[list[Answer]] = [[] for _ in range(number)]
        for label in [label for label in self._by_standing() if label not in aside] or self._by_standing():
            for told, said in zip(answers, self._told(label, ask, number=number), strict=True):
                told.append(Answer(label, accepted=not isinstance(said, ChainError), text=str(said)))
        return answers

    def _told(self, label: str, ask: Callable[[C], Sequence[object]], *, number: int) -> Sequence[object]:
        try:
            return self._asked(label, ask)
        except Unreachable as silent:
            return [Unreachable(f"no answer: {silent}")] * number
        except ChainError as refused:
            return [refused] * number

    def common_height(self, heights: Mapping[str, int], *, most_behind: int) -> int:
        """The height that all of these nodes have reached; who is further behind than that is put aside.

        Measured is against the second highest where there are three, so that one false height puts nobody aside.

        Raises: Retryable when fewer remain than must agree.
        """
        highest = sorted(heights.values(), reverse=True)
        mark = highest[1] if len(highest) > WITNESSES else highest[0]
        for label, height in heights.items():
            if height < mark - most_behind:
                self._put_aside(label, EndpointFault.LAGS, f"at block {height}, the others at {mark}")
        kept = [height for height in heights.values() if height >= mark - most_behind]
        if len(kept) < self.needed:
            raise self._too_few()
        return min(kept)

    def _asked(self, label: str, ask: Callable[[C], T]) -> T:
        client = self._clients[label]
        try:
            if label not in self._identified:
                self._identify(client)
                self._identified.add(label)
            return ask(client)
        except (Unreachable, OtherChain) as fault:
            self._silent.add(label)
            self._put_aside(label, FAULTS[type(fault)], str(fault))
            raise

    def _judge(self, said: Mapping[str, T], alike: Sequence[str], refused: Mapping[str, ChainError]) -> None:
        """Put aside who stands against the others, or all who answered when nobody can tell who is right."""
        for label in said:
            if len(said) > 1 and label not in alike:
                others = ", ".join(other for other in said if other != label)
                self._put_aside(label, EndpointFault.DISAGREES, f"contradicts {others} about a settled fact")
        for label, refusal in refused.items():
            if said and type(refusal) not in FAULTS:
                self._put_aside(label, EndpointFault.ERRS, str(refusal))

    def _by_standing(self) -> list[str]:
        """Those in good standing first; without those that were silent in this sweep."""
        heard = [label for label in self._clients if label not in self._silent]
        return sorted(heard, key=lambda label: label in self._aside)

    def _trusted(self) -> list[str]:
        """Who may be asked for a verdict; a node that is alone is never put aside."""
        return [
            label
            for label in self._clients
            if label not in self._silent and (self.needed == 1 or label not in self._aside)
        ]

    @cached_property
    def _known(self) -> dict[str, EndpointHealth]:
        if not self._shared:
            return {}
        rows = endpoint_health.rows(self._network)
        gone = rows.keys() - self._clients.keys()
        if gone:  # no longer configured
            endpoint_health.forget(self._network, gone, now=self._clock())
        return {label: row for label, row in rows.items() if label not in gone}

    @property
    def _aside(self) -> dict[str, EndpointHealth]:
        now = self._clock()
        return {label: row for label, row in self._known.items() if row.until > now}

    def _put_aside(self, label: str, fault: EndpointFault, reason: str) -> None:
        now = self._clock()
        self._known[label] = endpoint_health.row(self._network, label, fault, reason, now=now)
        if self._shared:
            endpoint_health.put_aside(self._known[label], now=now)

    def _restore(self, labels: Sequence[str]) -> None:
        back = [label for label in labels if label in self._known]
        if back and self._shared:
            endpoint_health.forget(self._network, back, now=self._clock())
        for label in back:
            del self._known[label]

    def _too_few(self) -> Retryable:
        why = "; ".join(
            f"{row.endpoint} {row.fault}, tried again from {row.until:%H:%M:%S} on" for row in self._known.values()
        )
        return Retryable(f"fewer than {self.needed} endpoints of {self._network} can be asked for a verdict: {why}")


def session(url: str) -> requests.Session:
    """A connection pool for one node; a node on loopback is never asked through the machine's proxy."""
    http = requests.Session()
    http.trust_env = urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost")
    return http


def label(url: str) -> str:
    """Host and port: a provider's key may stand in the path."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _labelled(clients: Sequence[C]) -> dict[str, C]:
    """One node per URL, each under a label of its own; one URL given twice is one witness, not two."""
    labelled: dict[str, C] = {}
    times: Counter[str] = Counter()
    for client in {client.url: client for client in clients}.values():
        name = label(client.url)
        times[name] += 1
        labelled[name if times[name] == 1 else f"{name} ({times[name]})"] = client
    return labelled


def _alike(said: Mapping[str, T]) -> list[str]:
    """The labels of the largest group that says the same; none when two groups are equally large."""
    groups = {tuple(other for other in said if said[other] == answer) for answer in said.values()}
    largest, *others = sorted(groups, key=len, reverse=True) or [()]
    return [] if others and len(others[0]) == len(largest) else list(largest)
