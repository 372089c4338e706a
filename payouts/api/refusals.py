"""The one way from an exception to an API's own error answer."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from payouts.api import base

log = structlog.get_logger(__name__)
ErrorOf = Callable[[Exception], tuple[int, Any] | None]
Envelope = Callable[[int, Any], dict[str, Any]]  # of what `ErrorOf` told, or of the framework's text
Handler = Callable[[Exception, dict[str, Any]], Response]


class Refused(Exception):
    """A request that this API answers with an error of its own."""

    def __init__(self, status_code: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.text = text


def handler(error_of: ErrorOf, envelope: Envelope) -> Handler:
    """How an API answers what went wrong: its own errors by `error_of`, the framework's by their own words.

    Raises (the handler): what is no refusal but a defect, for Django's own 500.
    """

    def refuse(error: Exception, context: dict[str, Any]) -> Response:
        found = error_of(error)
        if found is not None:
            return Response(envelope(*found), status=found[0])
        error = _plain(error)
        answer = exception_handler(error, context)
        if answer is None:
            raise error
        answer.data = envelope(answer.status_code, str(getattr(error, "detail", "not found")))
        return answer

    return refuse


def _plain(error: Exception) -> Exception:
    """The framework's exception for what the database, Django or a full window said."""
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database.unavailable", error=str(error))
        return base.Unavailable()
    if isinstance(error, SuspiciousOperation):  # a thousand query parameters, say
        return exceptions.ParseError("invalid request")
    if isinstance(error, exceptions.Throttled):
        error.detail = exceptions.ErrorDetail("rate limit exceeded")
    return error
