"""Admission control for unary calls: takes a concurrency slot. Streams take slots of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.admission import Admission
from facecli.rpc.calls import Calls
from facecli.rpc.interceptors.wrapping import Guard
from facecli.rpc.methods import method_of


def concurrency(admission: Admission, calls: Calls) -> Guard:
    """A guard inside the one that authenticates."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        properties = method_of(method)
        if properties.anonymous or properties.streams:
            yield
            return
        with admission.acquire(calls.of(context).authenticated_user):
            yield

    return guard
