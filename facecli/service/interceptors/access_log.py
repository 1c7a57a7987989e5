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
        code = cast(Any, context).code() or grpc.StatusCode.OK
        if not context.is_active() and code is grpc.StatusCode.OK:
            code = grpc.StatusCode.CANCELLED
        name = code.name if isinstance(code, grpc.StatusCode) else str(code)
        _log.info("%s %s %.3fs %s", method, name, time.monotonic() - started, context.peer())
