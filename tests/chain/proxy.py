"""A proxy before a real node that loses replies, refuses, stays silent or lies, on JSON-RPC and TRON's paths alike."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests


class Dropped(Exception):
    """The connection ends without a reply."""


class Failed(Exception):
    """The reply is an HTTP status and no answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """One question on its way: EVM's method and its parameters, or TRON's path and its body."""

    name: str
    arguments: Any
    forward: Callable[[], Any]  # ask the node; its result, or its whole answer where that is an error
    plain: bool  # TRON: the answer has no envelope


Spoiler = Callable[[Call], Any]


@dataclass(slots=True)
class Rule:
    """What happens to calls of that name ("*": any); spent after `times` of them, never where there is no number."""

    name: str
    spoiler: Spoiler
    times: int | None


def lost(call: Call) -> Any:
    """The call takes effect, its reply is lost."""
    call.forward()
    raise Dropped


def silent(_call: Call) -> Any:
    """Nothing reaches the node, nothing comes back."""
    raise Dropped


def failed(status: int) -> Spoiler:
    """That HTTP status, and nothing reaches the node."""

    def spoil(_call: Call) -> Any:
        raise Failed(status)

    return spoil


unavailable = failed(503)


def refused(message: str) -> Spoiler:
    """The node's own error; it hears nothing."""

    def spoil(call: Call) -> Any:
        return {"Error": message} if call.plain else Error({"code": -32000, "message": message})

    return spoil


class Error(dict[str, Any]):
    """A JSON-RPC error in the place of a result."""


@dataclass
class Proxy:
    """Passes on what no rule spoils; the rules may change at any time, from any thread."""

    target: str
    url: str = ""
    asked: list[str] = field(default_factory=list)
    posts: int = 0  # requests; a batch is one
    no_batches: Failed | dict[str, Any] | None = None  # what a batch gets for an answer
    _rules: list[Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _http: requests.Session = field(default_factory=requests.Session)

    def spoil(self, name: str, spoiler: Spoiler, *, times: int | None = None) -> None:
        """Spoil the calls of that name; the newest rule comes first."""
        with self._lock:
            self._rules.insert(0, Rule(name, spoiler, times))

    def lie(self, name: str, result: Any, *, times: int | None = None) -> None:
        """Answer so, whatever the node says; the call has its effect."""

        def spoiler(call: Call) -> Any:
            call.forward()
            return result

        self.spoil(name, spoiler, times=times)

    def alter(self, name: str, change: Callable[[Any], Any], *, times: int | None = None) -> None:
        """Change the node's answers."""
        self.spoil(name, lambda call: change(call.forward()), times=times)

    def behave(self) -> None:
        """Be honest from now on."""
        with self._lock:
            self._rules.clear()

    def answer(self, call: Call) -> Any:
        """What the caller gets to hear."""
        with self._lock:
            self.asked.append(call.name)
            rule = next((rule for rule in self._rules if rule.name in (call.name, "*")), None)
            if rule and rule.times is not None:
                rule.times -= 1
                self._rules = [rule for rule in self._rules if rule.times != 0]
        return rule.spoiler(call) if rule else call.forward()

    def reply(self, path: str, body: bytes) -> Any:
        """The whole HTTP answer to one request, a batch's in its order."""
        asked = json.loads(body or b"{}")
        self.posts += 1
        if isinstance(asked, list) and isinstance(self.no_batches, Failed):
            raise self.no_batches
        if isinstance(asked, list) and self.no_batches:
            return self.no_batches
        if isinstance(asked, list):
            return [self._json_rpc(path, one) for one in asked]
        if "jsonrpc" in asked:
            return self._json_rpc(path, asked)
        name = path.strip("/")
        return self.answer(Call(name, asked, lambda: self._post(path, asked), plain=True))

    def _json_rpc(self, path: str, asked: dict[str, Any]) -> Any:
        def forward() -> Any:
            answer = self._post(path, asked)
            return Error(answer["error"]) if "error" in answer else answer["result"]

        told = self.answer(Call(asked["method"], asked["params"], forward, plain=False))
        kind = "error" if isinstance(told, Error) else "result"
        return {"jsonrpc": "2.0", "id": asked["id"], kind: told}

    def _post(self, path: str, asked: Any) -> Any:
        try:
            answer = self._http.post(self.target.rstrip("/") + path, json=asked, timeout=30)
            answer.raise_for_status()
            return answer.json()
        except requests.RequestException as away:
            raise Dropped from away


@contextmanager
def before(target: str, *, keep_alive: bool = False) -> Iterator[Proxy]:
    """A proxy in front of that node, for as long as the context lasts; with `keep_alive` its clients must end first."""
    proxy = Proxy(target)
    proxy._http.trust_env = False  # noqa: SLF001 - built here
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy, keep_alive=keep_alive))
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        proxy._http.close()  # noqa: SLF001 - built here


def _handler(proxy: Proxy, *, keep_alive: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                self._reply(200, proxy.reply(self.path, body))
            except Dropped:
                self.close_connection = True
            except Failed as failure:
                self._reply(failure.status, {})

        def _reply(self, status: int, answer: Any) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own signature
            pass

    return Handler
