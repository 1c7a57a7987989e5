"""Lets in who may. Health is open to everybody."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.authentication import Callers
from facecli.api.call_context import Requests
from facecli.rpc.interceptors.wrapping import Guard

_OPEN = "/grpc.health.v1.Health/"


def auth(callers: Callers, requests: Requests) -> Guard:
    """A guard that wants `authorization: Bearer <token>` or a client certificate, where callers prove who
    they are."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        if method.startswith(_OPEN):
            yield
            return
        with callers.met(context):
            requests.let_in(context, callers.of(context))
            yield

    return guard
