"""Authenticates every call before its messages are read; the health service is open to anonymous callers."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.rpc.calls import Calls, credentials_of
from facecli.rpc.interceptors.wrapping import Guard
from facecli.rpc.methods import method_of


def authentication(calls: Calls) -> Guard:
    """A guard that refuses a call without valid credentials: a bearer token or a client certificate."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        if not method_of(method).anonymous:
            calls.of(context).authenticate(credentials_of(context))
        yield

    return guard
