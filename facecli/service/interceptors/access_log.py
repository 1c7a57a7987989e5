"""One line for every call: what, how it ended, how long it took, who called."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc

_log = logging.getLogger("facecli.access")


@contextmanager
def access_log(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        unsaid = grpc.StatusCode.OK if context.is_active() else grpc.StatusCode.CANCELLED
        code = cast(Any, context).code() or unsaid
        name = code.name if isinstance(code, grpc.StatusCode) else str(code)
        _log.info("%s %s %.3fs %s", method, name, time.monotonic() - started, context.peer())
