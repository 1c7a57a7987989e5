"""Who did what to which thing: one line for every call that changes something, however it ended."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from facecli.api.authentication import ANONYMOUS_USER, Caller
from facecli.api.call_context import Requests, outcome
from facecli.core.errors import InvalidInput
from facecli.rpc.interceptors.wrapping import Guard
from facecli.wire import frames

CHANGING = frozenset(
    {
        "/video.VideoService/UploadVideo",
        "/video.VideoService/CreateTask",
        "/video.UploadService/BeginUpload",
        "/video.UploadService/BeginUploads",
        "/video.UploadService/StreamUpload",
        "/video.UploadService/UploadChunk",
        "/video.UploadService/CancelUpload",
        "/video.TaskService/CancelTask",
        "/video.TaskService/RetryTask",
        "/video.TaskService/DeleteTask",
    }
)
MOST_THINGS = 16  # of one call; of more it tells how many
MOST_CHARACTERS = 100  # of a user or an id, which a client can send as long as a message

_IDS = {"upload_id": "upload", "task_id": "task", "image_url": "upload", "video_url": "upload"}
_NESTED = ("upload", "uploads", "task")
_PLAIN = re.compile(r"[\w.:-]+", re.ASCII)

_log = logging.getLogger("facecli.audit")


def audit(requests: Requests) -> Guard:
    """A guard around whoever turns errors into statuses."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator["Record | None"]:
        if method not in CHANGING:
            yield None
            return
        record = Record()
        try:
            yield record
        finally:
            told = requests.of(context), method.rpartition("/")[2], outcome(context)
            number, did, ended = map(written, told)
            who = _who(requests.caller(context), record.user)
            _log.info("request=%s %s did=%s outcome=%s%s", number, who, did, ended, record.things())

    return guard


class Record:
    """What the messages of one call say of who and which."""

    def __init__(self) -> None:
        self.user = ""
        self._things: dict[tuple[str, str], None] = {}

    def heard(self, request: Any) -> Any:
        """The request, or the requests, as they came."""
        if hasattr(request, "DESCRIPTOR"):
            self._add(request)
            return request
        return self._first_heard(request)

    def said(self, response: Any) -> None:
        self._add(response)

    def things(self) -> str:
        shown = list(self._things)[:MOST_THINGS]
        more = len(self._things) - len(shown)
        return "".join(f" {kind}={written(name)}" for kind, name in shown) + (f" more={more}" if more else "")

    def _first_heard(self, messages: Iterator[bytes]) -> Iterator[bytes]:
        for number, message in enumerate(messages):
            if not number:
                with suppress(InvalidInput):
                    self._add(frames.decode(message)[0])
            yield message

    def _add(self, message: Any) -> None:
        for field, value in message.ListFields():
            if field.name == "user_id":
                self.user = self.user or value
            elif field.name in _IDS and isinstance(value, str):
                self._things[_IDS[field.name], _id(value)] = None
            elif field.name in _NESTED:
                for nested in [value] if hasattr(value, "DESCRIPTOR") else value:
                    self._add(nested)


def _who(caller: Caller | None, said: str) -> str:
    """The user that was proved, and for whom when that is another; the name where names are believed."""
    if caller is None:
        return f"user={written('')}"
    if caller.principal is None:
        return f"user={written(said or ANONYMOUS_USER)}"
    user = caller.principal.user
    return f"user={written(user)}" + (f" for={written(said)}" if said not in {"", user} else "")


def _id(value: str) -> str:
    """Of a `/uploads/<id>/<name>` the id alone: names are no business of the log's."""
    parts = value.split("/")
    return parts[2] if len(parts) == 4 else "?" if len(parts) > 1 else value


def written(value: str) -> str:
    """One word, whatever the value: what is not plain is quoted, so that it cannot look like more fields."""
    value = value[:MOST_CHARACTERS]
    return value if _PLAIN.fullmatch(value) else json.dumps(value)
