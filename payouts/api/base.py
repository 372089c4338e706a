"""What the five APIs share beneath their wire formats: strict JSON, paging numbers, rate limits, refusals."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import limits
import limits.storage
import limits.strategies
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from redis.exceptions import RedisError
from rest_framework import exceptions, parsers, status
from rest_framework.request import Request

from payouts.withdrawals import idempotency

MAX_BODY_BYTES = 1_000_000
WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class TooLarge(exceptions.APIException):
    """The request's body is longer than any of ours."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "request body too large"


class Unavailable(exceptions.APIException):
    """Something that this call needs is away for the moment."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "service temporarily unavailable"


class StrictJson(parsers.BaseParser):
    """JSON as money needs it: numbers are Decimal, no NaN, no duplicate keys, no text that PostgreSQL cannot hold."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the framework's signature
    ) -> Any:
        """The parsed body.

        Raises: ParseError, TooLarge.
        """
        raw = _bounded(stream)
        try:
            return json.loads(
                raw.decode("utf-8"),
                parse_float=Decimal,
                parse_int=Decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_unique,
            )
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise exceptions.ParseError("invalid JSON") from error


def _bounded(stream: Any) -> bytes:
    raw: bytes = stream.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge
    return raw


def raw_body(request: Request) -> bytes:
    """The body's bytes as they came, for a signature over them; it can still be parsed afterwards.

    Raises: TooLarge.
    """
    try:
        return request._request.body  # noqa: SLF001 - DRF offers the raw bytes only through Django's request
    except RequestDataTooBig as error:
        raise TooLarge from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    for key, value in pairs:
        _storable(key)
        _storable(value)
    return found


def _storable(value: Any) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate is a ValueError here
        if "\x00" in value:
            raise ValueError("NUL in text")
    elif isinstance(value, list):
        for item in value:
            _storable(item)


def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises: ParseError when the body is JSON but no object.
    """
    data = request.data
    if not isinstance(data, dict):
        raise exceptions.ParseError("invalid JSON: an object is expected")
    return data


def whole(text: str | None, *, default: int) -> int | None:
    """A non-negative number out of a query string, or None when it is not one (ASCII digits, at most nine)."""
    if text is None:
        return default
    return int(text) if WHOLE.fullmatch(text) else None


def idempotency_scope(request: Request, *, endpoint: str, merchant: Any) -> idempotency.Scope | None:
    """The scope of the request's Idempotency-Key, or None without one.

    Raises: ParseError for a key that is not 1–255 visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not KEY_FORM.fullmatch(key):
        raise exceptions.ParseError("invalid idempotency key")
    return idempotency.Scope(merchant=merchant, endpoint=endpoint, key=key, request=body_of(request))


class RateLimit:
    """At most so many calls in a sliding window, exact under concurrency (Redis, Lua)."""

    def __init__(self, rule: str) -> None:
        self.item = limits.parse(rule)
        self._strategy: limits.strategies.MovingWindowRateLimiter | None = None

    def hit(self, *names: str, money: bool) -> None:
        """Count one call.

        Raises: Throttled over the limit; Unavailable for a call that moves money while Redis is away (reads go on).
        """
        try:
            if self._strategy is None:
                storage = limits.storage.storage_from_string(
                    settings.RATE_LIMITS_STORAGE, socket_timeout=2, socket_connect_timeout=2
                )
                self._strategy = limits.strategies.MovingWindowRateLimiter(storage)
            if self._strategy.hit(self.item, *names):
                return
            wait_s = self._strategy.get_window_stats(self.item, *names).reset_time - now().timestamp()
        except RedisError as error:
            if money:
                raise Unavailable from error
            return
        raise exceptions.Throttled(wait=max(1, wait_s))


def now() -> datetime:
    """The moment of the call."""
    return datetime.now(UTC)
