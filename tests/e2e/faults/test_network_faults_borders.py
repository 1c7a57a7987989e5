"""Streams that break at a chunk's border, to the byte: whole chunks are kept, half ones are not."""

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
from tests.support.e2e.fault_proxy import CHUNK, check_upload, command
from tests.support.e2e.files import MIB
from tests.support.e2e.process import DEADLINE, run
from tests.support.e2e.server import Server

SIZE = 4  # MiB
FRAME = 256 * 1024  # bytes; several to a chunk
BORDERS = [number * CHUNK + off for number in (1, 2) for off in (-1, 0, 1)]

Call = Any  # grpc's, of which its stubs know two halves


class Sender:
    """A client that sends as many bytes of a file as a test wants, and no more."""

    def __init__(self, channel: grpc.Channel, path: Path, user: str) -> None:
        self._stub = upload_service_pb2_grpc.UploadServiceStub(channel)
        self._data = path.read_bytes()
        self._user = user
        self._open = queue.SimpleQueue[None]()
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
        """Send so many bytes and end the stream; what each answer said to be stored."""
        answers = self._stub.StreamUpload(self._frames(payload), timeout=DEADLINE)
        return [answer.stored_bytes for answer in answers]

    @contextmanager
    def sending(self, payload: int, line: Proxy) -> Iterator[Call]:
        """The open stream, when so many bytes of it have arrived and the whole chunks are acknowledged."""
        call = self._stub.StreamUpload(self._frames(payload, then_wait=True), timeout=DEADLINE)
        try:
            while payload >= CHUNK and next(call).stored_bytes < payload // CHUNK * CHUNK:
                pass
            assert line.wait_for(lambda: line.passed(Direction.SERVER) > payload, DEADLINE)
            yield call
        finally:
            self._open.put(None)

    def _frames(self, payload: int, *, then_wait: bool = False) -> Iterator[video_service_pb2.UploadRequest]:
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
        if then_wait:
            self._open.get()


@pytest.mark.parametrize("payload", BORDERS)
def test_a_stream_that_ends_at_a_border_leaves_the_whole_chunks_and_the_rest_is_sent_later(
    server: Server, user: str, file: MakeFile, payload: int
) -> None:
    path = file(SIZE)
    with grpc.insecure_channel(server.address) as channel:
        answers = Sender(channel, path, user).send(payload)
    assert answers == sorted(answers)
    assert [0, *answers][-1] == payload // CHUNK * CHUNK
    check_goes_on(server, user, path, stored=payload // CHUNK * CHUNK)


@pytest.mark.parametrize("payload", BORDERS)
@pytest.mark.parametrize("broken", ["cancelled", "cut", "reset"])
def test_a_stream_that_breaks_at_a_border_leaves_the_whole_chunks_and_the_rest_is_sent_later(
    server: Server, user: str, file: MakeFile, broken: str, payload: int
) -> None:
    path = file(SIZE)
    with (
        Proxy(server.address) as line,
        grpc.insecure_channel(line.address) as channel,
        Sender(channel, path, user).sending(payload, line) as call,
    ):
        if broken == "cancelled":
            call.cancel()
        else:
            line.cut(reset=broken == "reset")
        with pytest.raises(grpc.RpcError):
            list(call)
    check_goes_on(server, user, path, stored=payload // CHUNK * CHUNK)


def check_goes_on(server: Server, user: str, path: Path, *, stored: int) -> None:
    """The server has that much, and our client sends what is missing and not a byte more."""
    assert server.uploads(user)[path.name] == stored
    done = run(*command(path, server.address, user))
    check_upload(done, server, path, user)
    assert (done.object["bytes_skipped"], done.object["bytes_sent"]) == (stored, SIZE * MIB - stored)
