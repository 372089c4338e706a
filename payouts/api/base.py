"""What the five APIs share beneath their wire formats: strict JSON both ways, paging numbers, refusals."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import orjson
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions, negotiation, parsers, renderers, status
from rest_framework.request import Request

from payouts.merchants import origins
from payouts.merchants.models import Merchant
from payouts.withdrawals import idempotency

MAX_BODY_BYTES = 1_000_000
# Arrays and objects in one body. The parser recurses, and py_ecc (below web3) lifts Python's own limit to 100,000:
# without this a few kilobytes of "[" kill the whole process.
MAX_OPENED = 500
MAX_DEPTH = 20  # no request of ours nests deeper; what hashes or stores it later may then recurse
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
WHOLE = re.compile(r"[0-9]{1,100}", re.ASCII)
LARGEST_WHOLE = 10**9  # no list is longer, and PostgreSQL can still count it
KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class TooLarge(exceptions.APIException):
    """The request's body is longer than any of ours."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "request body too large"


class LengthRequired(exceptions.APIException):
    """The body came in chunks; WSGI knows no end of it, so it would be read as empty."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "length required"


class Unavailable(exceptions.APIException):
    """Something that this call needs is away for the moment."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "service temporarily unavailable"
    wait = 5  # becomes Retry-After


class AlwaysJson(negotiation.BaseContentNegotiation):
    """Every answer is JSON, whatever the caller would rather accept: our programs' callers read nothing else."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser for the body's content type, or None (415)."""
        return negotiation.DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:  # noqa: ARG002 - the framework's signature
        """The only renderer."""
        return renderers[0], renderers[0].media_type


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
        if raw.count(b"[") + raw.count(b"{") > MAX_OPENED:
            raise exceptions.ParseError("invalid JSON")
        try:
            parsed = json.loads(
                raw.decode("utf-8"),
                parse_float=Decimal,
                parse_int=Decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_unique,
            )
            _shallow(parsed)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise exceptions.ParseError("invalid JSON") from error
        return parsed


class ExactJson(renderers.BaseRenderer):
    """Answers as JSON in which an amount may be a number to its last digit: see `number`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the framework's signature
    ) -> bytes:
        """The answer's bytes; none for an answer without a body."""
        return b"" if data is None else orjson.dumps(data)


def number(plain: str) -> orjson.Fragment:
    """A plain decimal text, as `units.text` writes it, as a JSON number: through no float, and no digit lost."""
    if not DECIMAL.fullmatch(plain):
        raise ValueError(f"{plain!r} is no plain decimal")
    return orjson.Fragment(plain.encode())


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


def _shallow(value: Any, *, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _shallow(item, depth=depth + 1)


def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises: ParseError when the body is JSON but no object; LengthRequired.
    """
    if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
        raise LengthRequired
    data = request.data
    if not isinstance(data, dict):
        raise exceptions.ParseError("invalid JSON: an object is expected")
    return data


def whole(text: str | None, *, default: int) -> int | None:
    """A non-negative number out of a query string, or None when it is not one (ASCII digits alone are)."""
    if text is None:
        return default
    return min(int(text), LARGEST_WHOLE) if WHOLE.fullmatch(text) else None


def idempotency_key(request: Request) -> str | None:
    """The request's Idempotency-Key, or None without one.

    Raises: ParseError for a key that is not 1–255 visible ASCII characters.
    """
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not KEY_FORM.fullmatch(key):
        raise exceptions.ParseError("invalid idempotency key")
    return key


def idempotency_scope(request: Request, *, endpoint: str, merchant: Any) -> idempotency.Scope | None:
    """The scope of the request's Idempotency-Key, or None without one.

    Raises: ParseError for a key that is not 1–255 visible ASCII characters.
    """
    key = idempotency_key(request)
    if key is None:
        return None
    return idempotency.Scope(merchant=merchant, endpoint=endpoint, key=key, request=_told_apart(body_of(request)))


def _told_apart(value: Any) -> Any:
    """The same request with its numbers and texts told apart, since 5 and "5" are two requests and hash as one."""
    if isinstance(value, dict):
        return {name: _told_apart(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_told_apart(item) for item in value]
    return value if isinstance(value, bool | None) else f"{type(value).__name__} {value}"


def check_origin(request: Request, merchant: Merchant) -> None:
    """Refuse a call from where its merchant has said that none comes from.

    Raises: PermissionDenied.
    """
    if not origins.admits(merchant, request._request):  # noqa: SLF001 - the origin is Django's request's
        raise exceptions.PermissionDenied("calls from this address are not allowed")


def now() -> datetime:
    """The moment of the call."""
    return datetime.now(UTC)


def moment(at: datetime) -> str:
    """A moment as the documents write it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
