"""Stand-ins for what merchants run: a receiver of webhooks that answers as a test tells it to."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """A real HTTP server on loopback: it keeps what it is sent and answers by path, 200 where nothing is said."""

    port: int
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Callable[["Handler"], None] | int] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/in") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path.partition("?")[0] == path]


class Handler(BaseHTTPRequestHandler):
    """Answers one request for its server's receiver."""

    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.receiver.calls.append(Call(self.path, dict(self.headers), body))
        answer = self.receiver.answers.get(self.path.partition("?")[0], 200)
        if callable(answer):
            answer(self)
        else:
            self.reply(answer)

    do_GET = do_POST  # noqa: N815 - the server's name for it; a followed redirect would come as one of these

    def reply(self, status: int, body: bytes = b"thank you", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def held(handler: Handler) -> None:
    """Answer only once the test releases it."""
    handler.receiver.released.wait(60)
    with contextlib.suppress(OSError):  # the caller has not waited
        handler.reply(200)


def dripping(handler: Handler) -> None:
    """Send a header's bytes so slowly that no timeout between two of them ever strikes."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(160):  # eight seconds
            if handler.receiver.released.wait(0.05):
                break
            handler.wfile.write(b"z")
    except OSError:
        handler.close_connection = True


def stalling(handler: Handler) -> None:
    """Say 200, promise a body and never send it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf")
    handler.receiver.released.wait(60)
    handler.close_connection = True


def breaking_off(handler: Handler) -> None:
    """Say 200, promise a body and reset the connection."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf")
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.receiver.released.wait(0.2)  # the status is to arrive before the reset
    handler.connection.close()
    handler.close_connection = True


def hanging_up(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@contextmanager
def receiver(*, port: int = 0) -> Iterator[Receiver]:
    """A receiver that runs until the block ends."""

    class OwnHandler(Handler):
        """One server's."""

    server = ThreadingHTTPServer(("127.0.0.1", port), OwnHandler)
    own = OwnHandler.receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield own
    finally:
        own.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
