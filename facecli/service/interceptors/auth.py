"""Lets in who may. Health is open to everybody."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import grpc

from facecli.service.callers import Callers
from facecli.service.interceptors.wrapping import Guard

_OPEN = "/grpc.health.v1.Health/"


def auth(callers: Callers) -> Guard:
    """A guard that wants `authorization: Bearer <token>` or a client certificate, where callers prove who
    they are."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        with nullcontext() if method.startswith(_OPEN) else callers.met(context):
            yield

    return guard
