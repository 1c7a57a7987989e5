"""One line for every call: what, how it ended, how long it took, who called, its id."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.call_context import Requests, outcome
from facecli.rpc.interceptors.wrapping import Guard

_log = logging.getLogger("facecli.access")


def access_log(requests: Requests) -> Guard:
    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            told = method, outcome(context), seconds, context.peer(), requests.of(context)
            _log.info("%s %s %.3fs %s %s", *told)

    return guard
