"""One question to each kind of node, to see whether it answers."""

import json
import urllib.error
import urllib.request
from typing import Any

DIRECT = urllib.request.build_opener(
    urllib.request.ProxyHandler({})
)  # loopback needs no proxy, whatever the machine says
ANY = urllib.request.build_opener()


def evm_answers(url: str) -> bool:
    """Say whether an Ethereum node answers there."""
    answer = _post(url, {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    return isinstance(answer, dict) and "result" in answer


def tron_answers(url: str) -> bool:
    """Say whether a TRON node answers there."""
    answer = _post(f"{url.rstrip('/')}/wallet/getnowblock", {})
    return isinstance(answer, dict) and "blockID" in answer


def _post(url: str, content: dict[str, Any]) -> Any:
    body = json.dumps(content).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - configured URLs
    opener = DIRECT if "//127.0.0.1" in url else ANY
    try:
        with opener.open(request, timeout=5) as response:
            return json.load(response)
    except (urllib.error.URLError, ConnectionError, TimeoutError, ValueError):
        return None
