"""Errors as HTTP responses: a status by one table, and a JSON body with reason, message and hint."""

import json
import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from facecli.core import errors
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import FacecliError, InternalError, InvalidInput, NotFound
from facecli.core.printable import bounded, escaped

MAX_MESSAGE_BYTES = 1000

_log = logging.getLogger(__name__)

# An error that is not listed has the status of its nearest ancestor.
STATUS: dict[type[FacecliError], int] = {
    errors.FacecliError: 500,
    errors.InvalidInput: 400,
    errors.OutOfOrder: 409,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.NotReady: 409,
    errors.TakenOver: 409,
    errors.LimitReached: 429,
    errors.FileTooLarge: 413,
    errors.DiskFull: 507,
    errors.Unauthenticated: 401,
    errors.NotAllowed: 403,
    errors.PolicyRefused: 403,
    errors.Unavailable: 503,
    StoredBytesDamaged: 500,
    errors.IdleTooLong: 408,
    errors.TimedOut: 504,
    errors.Cancelled: 499,
}


def status_of(error: FacecliError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def error_response(
    error: FacecliError,
    *,
    status: int | None = None,
    request_id: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response to a request that failed; `status` replaces that of the table."""
    sent = {"cache-control": "no-store", **(headers or {})}
    if "retry_after" in error.details:
        sent["retry-after"] = str(error.details["retry_after"])
    if isinstance(error, errors.Unauthenticated):
        sent["www-authenticate"] = "Bearer"
    return Response(
        json.dumps({"error": described(error, request_id)}),
        status_code=status or status_of(error),
        media_type="application/json",
        headers=sent,
    )


def response_bytes(error: FacecliError, *, status: int) -> bytes:
    """The last response of a connection that has no request for an application."""
    body = json.dumps({"error": described(error)}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def not_found() -> Response:
    return error_response(NotFound("there is nothing at this path"))


def method_not_allowed(*allowed: str) -> Response:
    methods = ", ".join(allowed)
    return error_response(InvalidInput(f"this path takes {methods}"), status=405, headers={"allow": methods})


def bug_response(bug: Exception, *, request_id: str = "") -> Response:
    """The response to a request that failed by a bug."""
    error = logged_bug(bug, request_id=request_id)
    return error_response(error, request_id=error.error_id)


def logged_bug(bug: Exception, *, request_id: str = "") -> InternalError:
    """Log a bug; the error has the id of its log record, a new one for a request that has none."""
    error_id = request_id or uuid.uuid4().hex[:12]
    _log.error("internal error", exc_info=bug, extra={"request": error_id})
    return InternalError(f"internal error {error_id}; see the server's log", error_id=error_id)


def described(error: FacecliError, request_id: str = "") -> dict[str, Any]:
    """The `error` object of a response, as the commands print it with --json."""
    described: dict[str, Any] = {
        "reason": error.reason,
        "message": bounded(escaped(error.message[: 2 * MAX_MESSAGE_BYTES]), MAX_MESSAGE_BYTES),
        "hint": error.hint,
    }
    if details := {name: value for name, value in error.details.items() if name != "hint"}:
        described["details"] = details
    if request_id:
        described["request_id"] = request_id
    return described
