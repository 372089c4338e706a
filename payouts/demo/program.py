"""A merchant's program: signs its headers and speaks the `merchant` API over HTTP, knowing nothing of our insides."""

import time
from typing import Any

import httpx

from payouts.api.merchant import auth
from payouts.demo.terminal import Differs

TIMEOUT_S = 15.0


class Away(Differs):
    """Nobody answers, or 503: something was killed and is being started again."""


class Program:
    """One key of one merchant."""

    def __init__(self, base_url: str, *, key_id: str, secret: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)
        self._key_id, self._secret = key_id, secret

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str) -> dict[str, Any]:
        """The answer's body.

        Raises: Differs when it is not 200; Away when it may be in a moment.
        """
        return self._call("GET", path, wanted=200)

    def post(self, path: str, body: dict[str, Any], *, wanted: int, **headers: str) -> dict[str, Any]:
        """The answer's body.

        Raises: Differs when its status is not the wanted one; Away when it may be in a moment.
        """
        return self._call("POST", path, wanted=wanted, json=body, headers=headers)

    def _call(self, method: str, path: str, *, wanted: int, **more: Any) -> dict[str, Any]:
        ts = int(time.time())
        signature = auth.signature(self._secret, key_id=self._key_id, unix_ts=ts)
        headers = {"Authorization": f"Bearer {self._key_id}:{ts}:{signature}", **more.pop("headers", {})}
        try:
            answer = self._http.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            raise Away(f"{method} {path}: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise Away(f"{method} {path} answered 503")
        if answer.status_code != wanted:
            raise Differs(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found
