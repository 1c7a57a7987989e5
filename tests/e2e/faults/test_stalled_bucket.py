"""A bucket that keeps some parts of an upload waiting while others pass."""

import re
import signal
from collections.abc import Callable, Iterator

import pytest

from facecli.blobs.s3.sender import PLACES
from tests.e2e.conftest import MakeFile, Serve
from tests.support.blobs.s3_servers import S3Server
from tests.support.blobs.stalling_proxy import StallingProxy, part, stalling_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandProcess
from tests.support.e2e.server import Server
from tests.support.eventually import eventually

pytestmark = pytest.mark.slow

SIZE = 100  # MiB
CHUNK = 5  # MiB
MORE = 14  # chunks that the memory of two uploads takes besides: received, and in pieces of the allocator


@pytest.fixture
def proxy(rclone: S3Server) -> Iterator[StallingProxy]:
    with stalling_proxy(rclone.endpoint) as proxy:
        yield proxy


@pytest.fixture
def start(serve: Serve, rclone: S3Server, proxy: StallingProxy) -> Callable[[], Server]:
    environment = {**rclone.environment, "AWS_ENDPOINT_URL": proxy.endpoint}
    environment["FACECLI_BLOBS"] = rclone.url()
    options = ["--workers", "0", "--drain-timeout", "1"]
    return lambda: serve(options=options, environment=environment)


def uploading(server: Server, path: object, user: str, *more: str) -> CommandProcess:
    chunks = ("--chunk-size", f"{CHUNK}MiB", "--progress", "json", "--json", "--retry-for", "60s")
    return CommandProcess("upload", path, "--user", user, "--server", server.address, *chunks, *more)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
def test_only_chunks_on_their_way_are_sent_again_after_the_end_of_a_server(
    start: Callable[[], Server], proxy: StallingProxy, file: MakeFile, user: str, number: signal.Signals
) -> None:
    path, server = file(SIZE), start()
    proxy.stall(part(1))
    with uploading(server, path, user) as upload:
        upload.wait_until_stored((SIZE - CHUNK) * MIB)
        eventually(lambda: proxy.waiting)
        if number == signal.SIGKILL:
            server.kill()
        else:
            assert server.terminate() == 0
        proxy.release()
        server.start()
        result = upload.wait()
    assert result.code == 0, result
    assert server.sha256(result.object["file_url"], user) == sha256(path)
    assert result.object["bytes_sent"] == (SIZE + CHUNK) * MIB


def test_a_client_that_is_killed_sends_only_the_chunk_again_that_was_on_its_way(
    start: Callable[[], Server], proxy: StallingProxy, file: MakeFile, user: str
) -> None:
    path, server = file(SIZE), start()
    proxy.stall(part(1))
    with uploading(server, path, user) as upload:
        upload.wait_until_stored((SIZE - CHUNK) * MIB)
        upload.kill()
    with uploading(server, path, user) as upload:
        upload.wait_for_event(lambda event: event.get("event") == "stored")
        proxy.release()
        result = upload.wait()
    assert result.code == 0, result
    assert server.sha256(result.object["file_url"], user) == sha256(path)
    assert result.object["bytes_sent"] == CHUNK * MIB


def test_an_upload_whose_parts_all_wait_keeps_no_other_and_takes_bounded_memory(
    start: Callable[[], Server], proxy: StallingProxy, file: MakeFile, user: str
) -> None:
    path, server = file(SIZE), start()
    before, stalled = server.peak_memory(), set[str]()

    def is_stalled(line: str) -> bool:
        return line.startswith("PUT ") and (not stalled or object_of(line) in stalled)

    with uploading(server, path, user) as upload:
        upload.wait_until_stored(CHUNK * MIB)
        proxy.stall(is_stalled)
        eventually(lambda: len(proxy.waiting) >= PLACES // 2)
        stalled |= set(map(object_of, proxy.waiting))
        assert len(stalled) == 1
        with uploading(server, file(SIZE, "other.mp4"), user) as other:
            result = other.wait()
        assert result.code == 0, result
        assert len(proxy.waiting) == PLACES // 2
        assert server.peak_memory() - before < (PLACES + MORE) * CHUNK * MIB
        proxy.release()
        assert upload.wait().code == 0


def object_of(line: str) -> str:
    return re.split("[? ]", line)[1]
