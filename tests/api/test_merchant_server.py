"""The `merchant` API behind its real server: what a test client cannot show."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from config.local import ports
from tests import databases
from tests.api import speaker
from tests.api.speaker import CREATE, Program


@pytest.fixture
def address(committed: databases.Database, tmp_path: Path) -> Iterator[str]:
    """One worker of the web server, on a database of its own."""
    port = ports.unused([])
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "config.wsgi:application"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "2", "--no-ws"]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ.copy(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 - our own server
        try:
            with requests.Session() as session:
                tries = urllib3.Retry(100, backoff_factor=0.2, backoff_max=0.5)
                session.mount("http://", HTTPAdapter(max_retries=tries))
                session.get(f"http://127.0.0.1:{port}/healthz", timeout=5).raise_for_status()
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def call(
    address: str, program: Program, method: str, target: str, body: object = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=10)
    sent = {"Authorization": program.bearer(), "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    chunked = "Transfer_Encoding" in headers
    connection.request(method, target, body, sent, encode_chunked=chunked)  # type: ignore[arg-type]  # bytes or chunks
    answer = connection.getresponse()
    got = answer.status, answer.read()
    connection.close()
    return got


def test_the_server_lives_through_what_is_thrown_at_it(program: Program, address: str) -> None:
    for raw in (b"[" * 100_000, b'{"a":' * 50_000, b"{" * 499):
        assert call(address, program, "POST", "/v1/withdrawals", raw) == (400, b'{"error":"invalid JSON"}')
    status, answer = call(address, program, "POST", "/v1/withdrawals", b"5" * 2_000_000)
    assert (status, json.loads(answer)) == (413, {"error": "request body too large"})
    status, answer = call(address, program, "HEAD", "/v1/withdrawals")
    assert (status, answer) == (200, b"")
    status, answer = call(address, program, "GET", "/v1/%ff%fe%00?limit=%ff")
    assert (status, json.loads(answer)) == (404, {"error": "not found"})
    raw = json.dumps(CREATE).encode()
    status, answer = call(address, program, "POST", "/v1/withdrawals", iter([raw]), Transfer_Encoding="chunked")
    assert (status, json.loads(answer)) == (411, {"error": "length required"})
    assert call(address, program, "GET", "/v1/balance")[0] == 200


def test_a_signed_create_is_verified_over_what_the_server_received(program: Program, address: str) -> None:
    raw, target = json.dumps(CREATE).encode(), "/v1/withdrawals"
    header = program.signed("POST", target, raw)
    status, answer = call(address, program, "POST", target, raw, Authorization=header)
    assert status == 201, answer
    assert call(address, program, "POST", target, raw, Authorization=header)[0] == 401
    for listed in ("/v1/withdrawals?limit=5&offset=0", f"/v1/withdrawals/{json.loads(answer)['id']}"):
        header = program.signed("GET", listed)
        assert call(address, program, "GET", listed, Authorization=header)[0] == 200
    assert speaker.internal(json.loads(answer)["id"])
