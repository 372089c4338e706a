"""One question to a node over HTTP, to see whether it answers."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

DIRECT = urllib.request.build_opener(
    urllib.request.ProxyHandler({})
)  # loopback needs no proxy, whatever the machine says
ANY = urllib.request.build_opener()


def post(url: str, content: dict[str, Any]) -> Any:
    """The JSON answer to a JSON question; None when there is none."""
    body = json.dumps(content).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - configured URLs
    opener = DIRECT if "//127.0.0.1" in url else ANY
    try:
        with opener.open(request, timeout=5) as response:
            return json.load(response)
    except (urllib.error.URLError, ConnectionError, TimeoutError, ValueError):
        return None


def get_ok(url: str) -> bool:
    """Say whether a GET is answered with 200."""
    try:
        with DIRECT.open(url, timeout=5) as response:
            return bool(response.status == HTTPStatus.OK)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
