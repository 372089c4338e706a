"""A merchant's webhook receiver on loopback: checks every signature before it believes a word."""

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORTS = range(18_100, 18_200)


@dataclass
class Receiver:
    """What has arrived; a forged signature is answered with 401 and counted."""

    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0
    url: str = ""

    def start(self) -> None:
        """Listen on a free port.

        Raises: OSError when there is none.
        """
        server = self._listening()
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}/hooks"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _listening(self) -> ThreadingHTTPServer:
        for port in PORTS:
            try:
                return ThreadingHTTPServer(("127.0.0.1", port), self._handler())
            except OSError:  # taken: the next one
                continue
        raise OSError("no free port for the webhook receiver")

    def verified(self, header: str, body: bytes) -> bool:
        """Whether `t=…,v1=…` is the HMAC of "{t}.{body}" under our secret."""
        parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
        signed = parts.get("t", "").encode() + b"." + body
        wanted = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(parts.get("v1", ""), wanted)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if receiver.verified(self.headers.get("X-Merchant-Signature", ""), body):
                    receiver.events.append(json.loads(body))
                    self.send_response(200)
                else:
                    receiver.forged += 1
                    self.send_response(401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Stay quiet; the demo tells what arrived."""

        return Handler
