"""One HTTP POST to a merchant's URL that cannot be led astray or held up.

The name is resolved once and the connection goes to that very address, which must be public; no redirect is followed,
no proxy asked; and the whole call, however slowly a name server answers or the other side drips, is over at its
deadline.
"""

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import requests
import requests_hardened
import urllib3
from django.conf import settings
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from payouts.webhooks import targets

CONNECT_S = 5
GRACE_S = 0.5  # after the deadline has cut the line, for its thread to say so
ANSWER_KEPT = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver said: its status, or why there is none."""

    status_code: int | None = None
    error: str = ""
    answer: str = ""


class Line:
    """The connection of one call; at the deadline it is cut, whatever the thread is waiting for.

    A socket's timeout restarts with every byte that drips in; this one does not.
    """

    def __init__(self, *, seconds: float) -> None:
        self.was_cut = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def hold(self, connected: socket.socket) -> None:
        """Take note of the call's connection (a duplicate, since TLS takes the original away).

        Raises: TimeoutError after the deadline.
        """
        with self._lock:
            if self.was_cut:
                raise TimeoutError("the deadline passed while connecting")
            self._socket = connected.dup()

    def _cut(self) -> None:
        with self._lock:
            self.was_cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # the other side may have closed already
                    self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        current.line = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        current.line = None
        with self._lock:
            if self._socket is not None:
                self._socket.close()


class _Current(threading.local):
    line: Line | None = None


current = _Current()


class _Held:
    """A connection that tells the call's line about its socket as soon as it has one."""

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # a mixin of urllib3's connections
        if current.line is not None:
            try:
                current.line.hold(connected)
            except TimeoutError:
                connected.close()
                raise
        return connected


class _HeldHttp(_Held, HTTPConnection):
    pass


class _HeldHttps(_Held, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HeldHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HeldHttps


class _Adapter(IPFilterAdapter):  # type: ignore[misc]  # the library is untyped
    """The library's resolve-once-and-pin, our own second opinion on the address, and held connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        if not targets.is_allowed(host["host"], loopback=self._allow_loopback):
            raise requests.exceptions.InvalidURL("this address is not public")
        return host, pool


@contextlib.contextmanager
def _session(*, timeout_s: float) -> Iterator[requests.Session]:
    loopback = settings.WEBHOOKS_ALLOW_LOOPBACK
    config = requests_hardened.Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=loopback,
        never_redirect=True,
        default_timeout=(CONNECT_S, timeout_s),
    )
    with requests_hardened.Manager(config).get_session() as session:
        session.trust_env = False  # a proxy from the environment would undo the pinning
        session.mount("http://", _Adapter(is_https_proto=False, allow_loopback=loopback))
        session.mount("https://", _Adapter(is_https_proto=True, allow_loopback=loopback))
        yield session


def post(url: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
    """Send it; whatever happens on the way is in the reply.

    Nothing can interrupt a thread that waits for a name server. So the call has one of its own, which is left behind
    at the deadline: what it still finds out is too late, and its line connects no more.
    """
    replies = queue.SimpleQueue[Reply]()

    def call() -> None:
        replies.put(_call(url, body=body, headers=headers, timeout_s=timeout_s))

    threading.Thread(target=call, name="webhook", daemon=True).start()
    try:
        return replies.get(timeout=timeout_s + GRACE_S)
    except queue.Empty:
        return _too_late(timeout_s)


def _too_late(timeout_s: float) -> Reply:
    return Reply(error=f"Timeout: no answer within {timeout_s:g} s")


def _call(url: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
    with Line(seconds=timeout_s) as line:
        try:
            with (
                _session(timeout_s=timeout_s) as session,
                session.post(url, data=body, headers=dict(headers), stream=True) as reply,
            ):
                if not line.was_cut:  # a cut among the headers looks like their end
                    return Reply(status_code=reply.status_code, answer=_start_of(reply))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not line.was_cut:
                return Reply(error=f"{type(error).__name__}: {error}")
    return _too_late(timeout_s)


def _start_of(reply: requests.Response) -> str:
    """The answer's first bytes; a receiver that breaks off after its status has still given it."""
    try:
        raw: bytes = reply.raw.read(ANSWER_KEPT, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return ""
    return raw.decode("utf-8", "replace").replace("\x00", "")[:ANSWER_KEPT]
