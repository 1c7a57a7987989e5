"""`facecli bench`: an interrupted run leaves no process, no file and no upload."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from facecli.bench.uploads.history import TransferHistory, ack_delays, resent_bytes
from facecli.chaos.faults import Faults, Span
from facecli.chaos.proxy import Proxy
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.uploads.upload import FileType
from tests.support.e2e.files import MIB
from tests.support.e2e.proc import session_members, wait_until_gone
from tests.support.e2e.process import CommandProcess
from tests.support.e2e.server import Server

SLOW = ("--size", "8MB", "--chunk-size", "256KiB", "--rate", "1MB", "--warm-up", 0, "--progress", "json")


def bench(folder: Path, *options: object) -> CommandProcess:
    """Start a bench of two clients that runs for a while."""
    return CommandProcess("bench", "upload", *SLOW, "--concurrency", 2, "--data-dir", folder, *options)


def test_bytes_counted_as_resent_are_the_excess_that_the_client_sent(
    server: Server, user: str, file: Callable[..., Path]
) -> None:
    path, chunk = file(12), 3 * MIB
    history = TransferHistory()
    sending = FileToSend(path=path, name="a.mp4", file_type=FileType.VIDEO, progress=history.next_file())
    with (
        Proxy(server.address, faults=Faults(cut=Span(low=2 * MIB, high=5 * MIB), cuts=3)) as proxy,
        Connection(proxy.address, call_timeout=30) as connection,
    ):
        client = UploadClient(ClientContext(connection=connection, user=user))
        sent = client.send_one(sending, chunk_size=chunk, retry_for=60)
    again = resent_bytes(history.events, chunk_size=chunk)
    assert (len(again), sum(again)) == (sent.retries, sent.bytes_sent - sent.size)
    assert sent.retries == 3
    assert sum(again) > 0
    assert len(ack_delays(history.events, chunk_size=chunk)) == sent.chunks


def test_ctrl_c_ends_a_bench_and_its_server_with_exit_code_130(tmp_path: Path) -> None:
    with bench(tmp_path) as running:
        running.wait_until_stored(1)
        pids = session_members(running.pid)
        assert len(pids) > 3
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        result = running.wait()
    assert (result.code, result.out) == (130, "")
    assert result.err.endswith(
        "facecli: interrupted\n  hint: no result is kept; run the same command to start over\n"
    )
    assert "Traceback" not in result.err
    wait_until_gone(pids)
    assert list(tmp_path.iterdir()) == []


def test_sigterm_leaves_no_upload_on_a_measured_server(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    server = serve(options=["--workers", "0"])
    with bench(tmp_path / "bench", "--server", server.address, "--user", "ann") as running:
        running.wait_until_stored(1)
        assert server.uploads("ann")
        os.kill(running.pid, signal.SIGTERM)  # as `timeout` and a CI do
        assert running.wait().code == 130
    assert server.uploads("ann") == {}
    assert list((tmp_path / "bench").iterdir()) == []


def test_the_processes_of_a_bench_end_with_it(tmp_path: Path) -> None:
    with bench(tmp_path) as running:
        running.wait_until_stored(1)
        pids = session_members(running.pid)
        running.kill()
    wait_until_gone(pids)
