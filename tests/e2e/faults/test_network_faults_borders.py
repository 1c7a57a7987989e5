"""Streams that break within a byte of a chunk boundary: whole chunks are stored, partial ones are not."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from facecli.chaos.events import Direction
from facecli.chaos.proxy import Proxy
from facecli.core.checksums import crc32c
from facecli.wire.generated import upload_service_pb2, upload_service_pb2_grpc, video_service_pb2
from tests.e2e.conftest import MakeFile
from tests.support.e2e.files import MIB
from tests.support.e2e.process import run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import CHUNK, check_upload, upload_command
from tests.support.eventually import DEADLINE

SIZE = 4  # MiB
FRAME = 256 * 1024  # bytes; several to a chunk
BOUNDARIES = [number * CHUNK + off for number in (1, 2) for off in (-1, 0, 1)]

Call = Any  # a grpc call that is also an iterator, for which grpc has no type


class Sender:
    """A client that sends an exact number of bytes of a file."""

    def __init__(self, channel: grpc.Channel, path: Path, user: str) -> None:
        self._stub = upload_service_pb2_grpc.UploadServiceStub(channel)
        self._data = path.read_bytes()
        self._user = user
        self._finished = queue.SimpleQueue[None]()
        request = upload_service_pb2.BeginUploadRequest(
            user_id=user,
            name=path.name,
            file_type="video",
            size=len(self._data),
            chunk_size=CHUNK,
            fingerprint=crc32c(self._data[-MIB:], crc32c(self._data[:MIB])),
        )
        self._upload_id = self._stub.BeginUpload(request).upload.upload_id

    def send(self, payload: int) -> list[int]:
        """Send so many bytes and end the stream; return the stored bytes of each acknowledgement."""
        acknowledgements = self._stub.StreamUpload(self._frames(payload), timeout=DEADLINE)
        return [acknowledgement.stored_bytes for acknowledgement in acknowledgements]

    @contextmanager
    def sending(self, payload: int, proxy: Proxy) -> Iterator[Call]:
        """An open stream of which so many bytes have arrived and every whole chunk is acknowledged."""
        call = self._stub.StreamUpload(self._frames(payload, keep_open=True), timeout=DEADLINE)
        try:
            while payload >= CHUNK and next(call).stored_bytes < payload // CHUNK * CHUNK:
                pass
            assert proxy.wait_for(lambda: proxy.passed(Direction.SERVER) > payload, DEADLINE)
            yield call
        finally:
            self._finished.put(None)

    def _frames(self, payload: int, *, keep_open: bool = False) -> Iterator[video_service_pb2.UploadRequest]:
        for offset in range(0, payload, FRAME):
            end = min(offset + FRAME, payload)
            last = end % CHUNK == 0
            yield video_service_pb2.UploadRequest(
                user_id=self._user,
                upload_id=self._upload_id,
                offset=offset,
                chunk=self._data[offset:end],
                chunk_crc32c=crc32c(self._data[end - CHUNK : end]) if last else None,
            )
        if keep_open:
            self._finished.get()


@pytest.mark.parametrize("payload", BOUNDARIES)
def test_a_stream_that_ends_at_a_chunk_boundary_keeps_whole_chunks(
    server: Server, user: str, file: MakeFile, payload: int
) -> None:
    path = file(SIZE)
    with grpc.insecure_channel(server.address) as channel:
        stored = Sender(channel, path, user).send(payload)
    assert stored == sorted(stored)
    assert [0, *stored][-1] == payload // CHUNK * CHUNK
    check_resumes(server, user, path, stored=payload // CHUNK * CHUNK)


@pytest.mark.parametrize("payload", BOUNDARIES)
@pytest.mark.parametrize("broken", ["cancelled", "cut", "reset"])
def test_a_stream_that_breaks_at_a_chunk_boundary_keeps_whole_chunks(
    server: Server, user: str, file: MakeFile, broken: str, payload: int
) -> None:
    path = file(SIZE)
    with (
        Proxy(server.address) as proxy,
        grpc.insecure_channel(proxy.address) as channel,
        Sender(channel, path, user).sending(payload, proxy) as call,
    ):
        if broken == "cancelled":
            call.cancel()
        else:
            proxy.cut(reset=broken == "reset")
        with pytest.raises(grpc.RpcError):
            list(call)
    check_resumes(server, user, path, stored=payload // CHUNK * CHUNK)


def check_resumes(server: Server, user: str, path: Path, *, stored: int) -> None:
    """Assert that the server has stored so many bytes and that our client sends only the rest."""
    assert server.uploads(user)[path.name] == stored
    result = run(*upload_command(path, server.address, user))
    check_upload(result, server, path, user)
    assert (result.object["bytes_skipped"], result.object["bytes_sent"]) == (stored, SIZE * MIB - stored)
