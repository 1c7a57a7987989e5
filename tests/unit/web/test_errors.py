"""Errors over HTTP: their status, their JSON, and bugs, whose text stays in the log."""

import asyncio
import json
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from facecli.api.admission import CallLimits, create_admissions
from facecli.api.client_address import TrustedProxies
from facecli.api.stream_deadline import StreamLimits
from facecli.core import errors
from facecli.core.errors import FacecliError, InternalError
from facecli.core.events import EventBus
from facecli.web.app import ErrorGuard, WebParts, create_app
from facecli.web.errors import described, error_response, status_of
from facecli.web.guards import RequestGate
from facecli.web.origins import origin_pattern
from facecli.web.rpc.reasons import Reasons
from facecli.web.rpc.refusals import RefusedRequest
from facecli.web.server import App


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ChecksumMismatch(), 400),
        (errors.Unauthenticated(), 401),
        (errors.NotAllowed(), 403),
        (errors.TaskNotFound(), 404),
        (errors.IdleTooLong(), 408),
        (errors.UploadUnfinished(), 409),
        (errors.OutOfOrder(), 409),
        (errors.FileTooLarge(), 413),
        (errors.TooManyCalls(), 429),
        (errors.QuotaReached(), 429),
        (errors.InternalError(), 500),
        (errors.StorageFailed(), 503),
        (errors.TimedOut(), 504),
        (errors.DiskFull(), 507),
    ],
)
def test_an_error_has_the_status_of_its_nearest_listed_ancestor(error: FacecliError, status: int) -> None:
    assert status_of(error) == status


def test_a_refusal_says_when_to_try_again_and_how_to_authenticate() -> None:
    assert error_response(errors.TooManyCalls("x", retry_after=7)).headers["retry-after"] == "7"
    assert error_response(errors.Unauthenticated()).headers["www-authenticate"] == "Bearer"


def test_a_message_is_bounded_and_without_control_characters() -> None:
    text = described(errors.InvalidInput("\x1b[31m" + "x" * 9999))["message"]
    assert text.isprintable()
    assert len(text) <= 1000


def answered(app: App) -> tuple[list[Any], list[str]]:
    """The messages of an application that is asked whether it is ready, and the ends of its connection."""
    sent: list[Any] = []
    done: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/readyz",
        "client": None,
        "headers": [(b"origin", b"https://app.example")],
        "state": {"connection": SimpleNamespace(abort=lambda: done.append("aborted"))},
    }
    asyncio.run(app(scope, None, send))  # type: ignore[arg-type]
    return sent, done


def failing(error: Exception) -> App:
    """The application, with an endpoint that raises this error."""

    def ready() -> bool:
        raise error

    limits = StreamLimits(idle=1, min_rate=0, draining=Event())
    origins = origin_pattern(["https://app.example"])
    admissions = create_admissions(CallLimits(uploads=1, watchers=1, downloads=1, calls=1, share=100, idle=1))
    unused: Any = None
    parts = WebParts(
        ready=ready,
        metrics=None,
        rpc=unused,
        authenticator=unused,
        admissions=admissions,
        events=EventBus(),
        upload_service=unused,
        offset_uploads=unused,
        downloads=unused,
        links=unused,
        limits=limits,
        max_file_size=1,
        origins=origins,
        local=False,
        proxies=TrustedProxies(),
    )
    return create_app(parts, RequestGate())


def test_an_error_of_an_endpoint_is_answered_and_can_be_read_by_the_page() -> None:
    (start, body), done = answered(failing(errors.StorageFailed("the disk is gone")))
    assert (start["status"], json.loads(body["body"])["error"]["message"]) == (503, "the disk is gone")
    assert dict(start["headers"])[b"access-control-allow-origin"] == b"https://app.example"
    assert done == []


def test_a_bug_becomes_an_error_id_that_the_log_explains(caplog: pytest.LogCaptureFixture) -> None:
    (start, body), done = answered(failing(RuntimeError("secret")))
    error = json.loads(body["body"])["error"]
    assert (start["status"], error["reason"], done) == (500, "INTERNAL", [])
    assert "secret" not in str(error)
    assert vars(caplog.records[0])["request"] == error["request_id"]
    assert "secret" in caplog.text


def test_a_response_that_breaks_off_ends_its_connection() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise errors.BytesDiffer("damaged")

    sent, done = answered(ErrorGuard(broken))
    assert ([message["type"] for message in sent], done) == (["http.response.start"], ["aborted"])


def test_a_bug_in_a_call_is_refused_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    received: list[FacecliError] = []
    call: Any = SimpleNamespace(fail=received.append)
    with pytest.raises(RefusedRequest, match="internal error") as caught:
        asyncio.run(Reasons().on_end(call, None, RuntimeError("secret")))
    assert "secret" not in str(caught.value)
    (error,) = received
    assert isinstance(error, InternalError)
    assert error.error_id == vars(caplog.records[0])["request"]
