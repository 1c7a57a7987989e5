"""A server that is silent, deadlines of commands, and proxies."""

import os
from pathlib import Path

import pytest

from facecli.client.calls import stall_watch
from facecli.core.errors import (
    FacecliError,
    QuotaReached,
    TimedOut,
    Unavailable,
    UploadInterrupted,
)
from facecli.core.progress import NullProgress
from facecli.wire.errors import to_status
from facecli.wire.generated import file_service_pb2 as files
from facecli.wire.generated import task_service_pb2 as tasks
from tests.support.cli import facecli
from tests.support.garbage.clients import clients_of
from tests.support.garbage.plausible import DATA, PLAUSIBLE, TASK_ID, URL, task
from tests.support.garbage.server import Answer, GarbageServer, of
from tests.unit.client.conftest import upload

HANGS = Answer(hangs=True)
PROMISE = files.DownloadResponse(size=10, crc32c=1)
SHORT = 0.3  # seconds


# The limit without retries is that of a call, here SHORT; nothing else in these tests waits in real time.
SILENT = {
    "begin": {"BeginUploads": lambda requests: HANGS},
    "upload": {"StreamUpload": lambda requests: HANGS},
    "download": {"Download": lambda requests: HANGS},
    "promise only": {"Download": of(PROMISE, hangs=True)},
    "first bytes": {
        "Download": of(
            files.DownloadResponse(size=10, crc32c=1), files.DownloadResponse(data=b"x"), hangs=True
        )
    },
    "watch": {"WatchTask": lambda requests: HANGS, "GetTaskStatus": lambda requests: HANGS},
    "status": {"GetTaskStatus": lambda requests: HANGS},
}


@pytest.mark.parametrize("what", SILENT)
def test_a_server_that_takes_everything_and_answers_nothing_ends_every_call(
    garbage: GarbageServer, path: Path, what: str
) -> None:
    garbage.answers = {**PLAUSIBLE, **SILENT[what]}
    with clients_of(garbage.address, call_timeout=SHORT) as clients:
        if what in {"begin", "upload"}:
            assert isinstance(upload(clients, path, retry_for=0), UploadInterrupted | Unavailable)
            return
        with pytest.raises(Unavailable, match=r"no progress from|did not answer within"):
            if what == "watch":
                list(clients.tasks.watch(TASK_ID, retry_for=0))
            elif what == "status":
                clients.tasks.get(TASK_ID)
            else:
                clients.files.download(URL, path.with_name("out"), retry_for=0, progress=NullProgress())


def test_empty_pieces_of_a_download_are_no_progress(garbage: GarbageServer, path: Path) -> None:
    pieces = (files.DownloadResponse(size=10, crc32c=1), files.DownloadResponse())
    garbage.answers = {"Download": of(*pieces, endless=True)}
    with (
        clients_of(garbage.address, call_timeout=SHORT) as clients,
        pytest.raises(FacecliError, match="progress"),
    ):
        clients.files.download(URL, path.with_name("out"), retry_for=0, progress=NullProgress())


def test_a_stalled_stream_has_used_up_its_retries(
    garbage: GarbageServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stall_watch, "MIN_LIMIT", 1.0)
    garbage.answers = {"Download": lambda requests: HANGS}
    with clients_of(garbage.address) as clients, pytest.raises(Unavailable, match="no progress"):
        clients.files.download(URL, path.with_name("out"), retry_for=1, progress=NullProgress())
    assert garbage.count("Download") == 1


def test_a_watch_of_a_waiting_task_is_silent_for_as_long_as_the_server_is_alive(
    garbage: GarbageServer,
) -> None:
    """The status calls prove it; the third of them brings the change that the stream does not tell."""
    waiting, ended = task("pending", revision=1), task(revision=2)

    def status(requests: list[bytes]) -> Answer:
        known = ended if garbage.count("GetTaskStatus") >= 3 else waiting
        return Answer(messages=(known.SerializeToString(),))

    garbage.answers = {
        "WatchTask": of(tasks.WatchTaskResponse(task=waiting), hangs=True),
        "GetTaskStatus": status,
    }
    with clients_of(garbage.address, call_timeout=SHORT) as clients:
        seen = [each.status for each in clients.tasks.watch(TASK_ID, retry_for=0)]
    assert seen == ["pending", "completed"]


@pytest.mark.parametrize(
    "command", [("task", "watch", TASK_ID), ("task", "status", TASK_ID), ("upload", "x.mp4")]
)
def test_the_timeout_of_a_command_ends_whatever_it_does(
    garbage: GarbageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.mp4").write_bytes(DATA)
    garbage.answers = dict.fromkeys(PLAUSIBLE, lambda requests: HANGS)
    ran = facecli(*command, "--server", garbage.address, "--timeout", "0.5s", "--json")
    assert (ran.code, ran.error["reason"]) == (124, "TIMED_OUT")
    assert "0.5s" in ran.error["message"]


def test_the_timeout_limits_the_watch_of_a_created_task(garbage: GarbageServer) -> None:
    garbage.answers = {**PLAUSIBLE, "WatchTask": lambda requests: HANGS}
    create = ("task", "create", "--image", URL, "--video", URL, "--watch")
    ran = facecli(*create, "--server", garbage.address, "--timeout", "0.5s", "--json")
    assert ran.code == 124
    assert ran.error["message"].endswith("had not ended after 0.5s; it is still running")


def test_the_timeout_of_a_command_ends_its_retries(address: str) -> None:
    with clients_of(address, retry_for=600, timeout=9) as clients, pytest.raises(TimedOut):
        clients.tasks.get(TASK_ID)
    assert clients.time.now == pytest.approx(9)


@pytest.mark.parametrize("delay", [0, 1, 10**9, 10**11])
def test_an_absurd_delay_that_a_server_asks_for_ends_with_the_retries(
    garbage: GarbageServer, path: Path, delay: int
) -> None:
    status = to_status(QuotaReached("full", retry_after=delay))
    refused = Answer(code=status.code, text=status.details, trailers=tuple(status.trailing_metadata))
    garbage.answers = dict.fromkeys(PLAUSIBLE, lambda requests: refused)
    with clients_of(garbage.address, retry_for=60) as clients:
        assert isinstance(upload(clients, path, retry_for=60), QuotaReached)
    assert clients.time.now <= 60
    assert len(clients.time.slept) < 100


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"])
def test_a_local_server_is_never_reached_through_a_proxy(
    garbage: GarbageServer, address: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://{address}")
    ran = facecli("task", "status", TASK_ID, "--server", garbage.address, "--retry-for", "0")
    assert ran.code == 0


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"])
def test_an_unreachable_server_elsewhere_names_the_proxy_and_its_variable(
    address: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(variable, f"http://ann:s3cret@{address}")
    ran = facecli("task", "list", "--server", "192.0.2.1:5", "--retry-for", "0")
    assert ran.code == 6
    assert f"through the proxy http://{address} ({variable}) unless no_proxy lists its host" in ran.err
    assert "s3cret" not in ran.err
