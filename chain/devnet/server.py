"""Serving the API over HTTP, with the ordered faults applied on the way."""

import json
import os
import socket
import socketserver
import struct
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from chain.devnet.api import DEV, Api
from chain.devnet.faults import Fault, Faults

MAX_BODY: Final = 4 * 1024 * 1024
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


class Server(ThreadingHTTPServer):
    """Listens on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, *, api: Api, faults: Faults) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.api = api
        self.faults = faults
        self.stopping = threading.Event()

    def server_bind(self) -> None:
        """Bind without asking a resolver for the host's name, which can take seconds where there is none."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of a reply leave together

    def do_GET(self) -> None:
        """Answer a request whose fields are in the query."""
        query = urllib.parse.urlsplit(self.path).query
        self._serve(json.dumps(dict(urllib.parse.parse_qsl(query))))

    def do_POST(self) -> None:
        """Answer a request whose fields are in a JSON body."""
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY:
            self._reply(413, {"Error": "too large"})
            return
        self._serve(self.rfile.read(length).decode(errors="replace"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own signature
        """Keep quiet about single requests."""

    def _serve(self, body: str) -> None:
        path = urllib.parse.urlsplit(self.path).path.strip("/")
        if self.server.stopping.is_set():
            self._reply(503, {"Error": "stopping"})
            return
        fault = None if path.startswith(f"{DEV}/") else self.server.faults.take(path, body)
        if fault and self._spoiled_before(fault):
            return
        try:
            asked = json.loads(body or "{}")
        except ValueError as error:
            self._reply(200, {"Error": f"class com.alibaba.fastjson.JSONException : {error}"})
            return
        if not isinstance(asked, dict):
            self._reply(200, {"Error": "class com.alibaba.fastjson.JSONException : not an object"})
            return
        status, answer = self.server.api.answer(path, asked)
        if fault is None or not self._spoiled_after(fault, answer):
            self._reply(status, answer)

    def _spoiled_before(self, fault: Fault) -> bool:
        """Do what a fault does before the node sees the request; tell whether that was the reply."""
        if fault.action == "delay":
            self.server.stopping.wait(fault.seconds)
            return False
        if fault.action == "reset_before":
            self._reset()
        elif fault.action == "status":
            self._reply(fault.code, {"Error": "ordered fault"})
        elif fault.action == "replace":
            self._reply(200, fault.reply)
        else:
            return False
        return True

    def _spoiled_after(self, fault: Fault, answer: Any) -> bool:
        """Do what a fault does to the reply; tell whether that was the reply."""
        if fault.action == "reset_after":
            self._reset()
        elif fault.action == "status_after":
            self._reply(fault.code, {"Error": "ordered fault"})
        elif fault.action == "empty":
            self._reply(200, {})
        elif fault.action == "lie":
            self._reply(200, answer | fault.reply if isinstance(answer, dict) else fault.reply)
        else:
            return False
        return True

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        os.close(self.connection.detach())  # an orderly shutdown would say goodbye with FIN first

    def _reply(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
        except ConnectionError:
            self.close_connection = True  # the client did not wait for the reply
