"""Limits of the server: the client waits as long as it is asked to, and reports why it gave up."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.client.calls.unary import UnaryCalls
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.uploads import UploadClient
from facecli.config.settings import Settings
from facecli.core.errors import LimitReached, QuotaReached, TooManyCalls
from facecli.core.progress import NullProgress
from facecli.uploads.upload import CHUNK_SIZE
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import upload_service_pb2_grpc as pb_grpc
from tests.unit.client.conftest import clips, upload_client, video_file

QUOTA = 1000  # bytes


class Time:
    """A clock that only sleeping moves; `happens` is called after every sleep."""

    def __init__(self, happens: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._happens = happens

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self._happens()

    def connection(self, address: str = "127.0.0.1:1", *, retry_for: float = 30) -> Connection:
        return Connection(
            address, call_timeout=retry_for, retry_for=retry_for, clock=self.clock, sleep=self.sleep
        )


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    settings = Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(tmp_path / "data"), workers=0)
    with run_server(replace(settings, max_user_bytes=QUOTA, max_user_unfinished=3)) as server:
        yield server.address


class Refusing:
    """A unary call that a busy server refuses a number of times."""

    def __init__(self, times: int, *, after: int | None = 1) -> None:
        self.times = times
        self._details = {} if after is None else {"retry_after": after}

    def __call__(self, request: str, **_: object) -> str:
        if self.times:
            self.times -= 1
            raise TooManyCalls("busy", **self._details)
        return f"answer to {request}"


@pytest.mark.parametrize(("times", "after", "slept"), [(0, 1, []), (3, 2, [2, 2, 2]), (20, 1, [1] * 20)])
def test_a_refused_call_is_retried_when_the_server_asks(times: int, after: int, slept: list[float]) -> None:
    time = Time()
    with time.connection() as connection:
        answer = UnaryCalls(connection).call(Refusing(times, after=after), "question", str)
    assert answer == "answer to question"
    assert time.slept == slept


@pytest.mark.parametrize(("after", "slept"), [(None, []), (30, []), (20, [20])])
def test_a_refused_call_is_retried_only_within_its_timeout(after: int | None, slept: list[float]) -> None:
    time = Time()
    with (
        time.connection() as connection,
        pytest.raises(TooManyCalls, match="busy"),
    ):
        UnaryCalls(connection).call(Refusing(99, after=after), "question", str)
    assert time.slept == slept


def test_the_time_of_the_refused_call_counts_against_its_timeout() -> None:
    time = Time()
    refusing = Refusing(99, after=20)

    def slow_call(request: str, **options: object) -> str:
        time.now += 15
        return refusing(request, **options)

    with (
        time.connection() as connection,
        pytest.raises(TooManyCalls, match="busy"),
    ):
        UnaryCalls(connection).call(slow_call, "question", str)
    assert time.slept == []


def test_an_upload_waits_until_its_user_has_room(address: str, tmp_path: Path) -> None:
    with Connection(address, call_timeout=30) as connection:
        (first,) = clips(tmp_path, 1, size=QUOTA - 100)
        (sent,) = upload_client(connection).send([first], chunk_size=100, retry_for=0)
        stored = sent.get()
        time = Time(lambda: upload_client(connection).cancel(stored.upload_id))
        client = UploadClient(
            ClientContext(connection=connection, user="ann", clock=time.clock, sleep=time.sleep)
        )
        path = tmp_path / "second.mp4"
        path.write_bytes(bytes(101))
        (sent,) = client.send([video_file(path)], chunk_size=100, retry_for=600)
    assert sent.get().size == 101
    assert time.slept == [30]


def test_an_upload_without_room_ends_with_the_exceeded_quota(address: str, tmp_path: Path) -> None:
    reasons: list[str] = []

    class Recorder(NullProgress):
        def waiting(self, reason: str, seconds: float) -> None:
            reasons.append(reason)

    with Connection(address, call_timeout=30) as connection:
        time = Time()
        client = UploadClient(
            ClientContext(connection=connection, user="ann", clock=time.clock, sleep=time.sleep)
        )
        (sent,) = client.send(clips(tmp_path, 1, size=QUOTA), chunk_size=100, retry_for=0)
        sent.get()
        path = tmp_path / "second.mp4"
        path.write_bytes(bytes(1))
        (sent,) = client.send([video_file(path, Recorder())], chunk_size=100, retry_for=70)
    assert isinstance(sent.error, QuotaReached)
    assert sent.error.message == reasons[0]
    assert reasons[0].startswith(f"ann has {QUOTA} bytes on this server, the quota is {QUOTA}")
    assert time.slept == [30, 30]


def test_of_many_files_those_within_the_quota_arrive(address: str, tmp_path: Path) -> None:
    """Begun together, they exceed the quota."""
    with Connection(address, call_timeout=30) as connection:
        time = Time()
        client = UploadClient(
            ClientContext(connection=connection, user="ann", clock=time.clock, sleep=time.sleep)
        )
        outcomes = list(client.send(clips(tmp_path, 12, size=100), chunk_size=100, retry_for=0))
    assert [outcome.error is None for outcome in outcomes] == [True] * 10 + [False]
    assert isinstance(outcomes[-1].error, QuotaReached)


def test_a_call_refused_by_grpc_itself_is_too_many_calls() -> None:
    server = grpc.server(ThreadPoolExecutor(1), maximum_concurrent_rpcs=0)
    nothing = pb_grpc.UploadServiceServicer()  # type: ignore[abstract]
    pb_grpc.add_UploadServiceServicer_to_server(nothing, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    time = Time()
    with (
        time.connection(f"127.0.0.1:{port}", retry_for=3) as connection,
        pytest.raises(TooManyCalls, match="has too many calls"),
    ):
        UnaryCalls(connection).call(
            pb_grpc.UploadServiceStub(connection.channel).GetUpload, pb.GetUploadRequest(), str
        )
    server.stop(None)
    assert time.slept == [1, 1]


def test_a_message_that_is_too_large_is_not_retried(address: str) -> None:
    request = pb.UploadChunkRequest(data=bytes(2 * CHUNK_SIZE))
    with Connection(address, call_timeout=30) as connection, pytest.raises(LimitReached) as caught:
        UnaryCalls(connection).call(pb_grpc.UploadServiceStub(connection.channel).UploadChunk, request, str)
    assert not caught.value.retryable
