"""Holds a place for every short call. Health needs none; streams take theirs themselves, and may lose it."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.api.admission import Admission
from facecli.api.call_context import Requests
from facecli.rpc.interceptors.wrapping import Guard

STREAMS = frozenset(
    {
        "/video.VideoService/UploadVideo",
        "/video.UploadService/StreamUpload",
        "/video.TaskService/WatchTask",
        "/video.FileService/Download",
    }
)


def concurrency(admission: Admission, requests: Requests) -> Guard:
    """A guard inside the one that lets callers in."""

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        caller = requests.caller(context)
        if caller is None or method in STREAMS:
            yield
            return
        with admission.acquire(caller.proved):
            yield

    return guard
