"""A server that is away, silent or restarting: how long commands wait for it, and what they say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.errors import (
    MisconfiguredConnection,
    ServerUnreachable,
    Unauthenticated,
)
from facecli.core.progress import NullProgress
from facecli.wire.errors import to_status
from tests.support.cli import facecli
from tests.support.garbage.clients import Clients, clients_of
from tests.support.garbage.plausible import PLAUSIBLE, TASK_ID, URL
from tests.support.garbage.server import Answer, GarbageServer, garbage_server
from tests.unit.client.conftest import clips, video_file

ACTIONS: dict[str, Callable[[Clients, Path], object]] = {
    "status": lambda clients, path: clients.tasks.get(TASK_ID),
    "create": lambda clients, path: clients.tasks.create(
        image_url=URL, video_url=URL, engine="", options={}, key=None
    ),
    "delete": lambda clients, path: clients.tasks.delete(TASK_ID),
    "list": lambda clients, path: list(clients.uploads.listed()),
    "info": lambda clients, path: clients.files.info(),
    "watch": lambda clients, path: list(clients.tasks.watch(TASK_ID, retry_for=60)),
    "upload": lambda clients, path: next(
        clients.uploads.send([video_file(path)], chunk_size=4, retry_for=60)
    ).get(),
    "download": lambda clients, path: clients.files.download(
        URL, path.with_name("out"), retry_for=60, progress=NullProgress()
    ),
}


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of a server that speaks HTTP/1 only."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ACTIONS)
def test_every_call_waits_for_a_server_that_comes_back(address: str, path: Path, name: str) -> None:
    with ExitStack() as stack, clients_of(address, retry_for=60) as clients:

        def start() -> None:
            if clients.time.now > 5:
                clients.time.happens = lambda: None
                stack.enter_context(garbage_server(PLAUSIBLE, address=address))
                clients.wait_until_connected()

        clients.time.happens = start
        ACTIONS[name](clients, path)
    assert clients.notes == [f"server {address} unreachable; retrying for 1m"]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_server_that_stays_away_ends_the_wait_with_unreachable(address: str, path: Path, name: str) -> None:
    with (
        clients_of(address, retry_for=60) as clients,
        pytest.raises(ServerUnreachable, match=f"{address} cannot be reached: Connection refused"),
    ):
        ACTIONS[name](clients, path)
    assert 50 < clients.time.now <= 60
    assert len(clients.notes) == 1


def test_a_second_call_does_not_wait_again_for_the_same_outage(address: str) -> None:
    with clients_of(address, retry_for=60) as clients:
        for _ in range(15):
            with pytest.raises(ServerUnreachable):
                clients.tasks.get(TASK_ID)
        assert clients.time.now <= 60


def test_a_server_away_between_two_batches_of_files_is_a_break_like_others(
    address: str, tmp_path: Path
) -> None:
    settings = Settings(engine="mock", bind=address, data_dir=str(tmp_path / "data"), workers=0)
    folder = tmp_path / "clips"
    folder.mkdir()
    with ExitStack() as stack, clients_of(address) as clients:
        running = stack.enter_context(ExitStack())
        running.enter_context(run_server(settings))

        def start() -> None:
            clients.time.happens = lambda: None
            stack.enter_context(run_server(settings))
            clients.wait_until_connected()

        clients.time.happens = start
        sent = []
        for outcome in clients.uploads.send(clips(folder, 201), chunk_size=1000, retry_for=60):
            sent.append(outcome.get())
            if len(sent) == 200:
                running.close()
    assert len(sent) == 201


@pytest.mark.parametrize("name", ["status", "watch", "upload", "download"])
def test_a_wrong_token_is_never_retried(garbage: GarbageServer, path: Path, name: str) -> None:
    status = to_status(Unauthenticated())
    refused = Answer(code=status.code, text=status.details, trailers=tuple(status.trailing_metadata))
    garbage.answers = dict.fromkeys(PLAUSIBLE, lambda requests: refused)
    with clients_of(garbage.address, retry_for=60) as clients, pytest.raises(Unauthenticated):
        ACTIONS[name](clients, path)
    assert clients.time.slept == []


def test_a_host_that_does_not_exist_is_never_retried() -> None:
    with (
        clients_of("nowhere.invalid:1", retry_for=60) as clients,
        pytest.raises(MisconfiguredConnection, match=r"no host has this name$"),
    ):
        clients.tasks.get(TASK_ID)
    assert clients.time.slept == []


@pytest.mark.parametrize("command", [("status",), ("watch", "--progress", "none")])
def test_many_tasks_and_one_cause_are_one_line_each(address: str, command: tuple[str, ...]) -> None:
    ran = facecli("task", *command, *map(str, range(15)), "--server", address, "--retry-for", "1s")
    assert ran.code == 6
    notes = [line for line in ran.err.splitlines() if "retrying" in line]
    assert notes == [f"server {address} unreachable; retrying for 1s"]
    assert ran.err.count("cannot be reached") == 1


def test_without_retries_a_command_fails_at_once(address: str) -> None:
    ran = facecli("task", "list", "--server", address, "--retry-for", "0")
    assert ran.code == 6
    assert "retrying" not in ran.err


@pytest.mark.parametrize("wait", ["0", "1s"])
@pytest.mark.parametrize("command", [("task", "list"), ("doctor",)])
def test_a_server_that_speaks_no_grpc_is_named_so(
    web_server: str, command: tuple[str, ...], wait: str
) -> None:
    ran = facecli(*command, "--server", web_server, "--retry-for", wait)
    assert ran.code == 6
    said = f"{web_server} cannot be reached: it does not speak gRPC"
    assert said in (ran.out + ran.err)
    assert "frame" not in ran.out + ran.err
    assert "--server" in (ran.out + ran.err).split("hint: ")[1]
