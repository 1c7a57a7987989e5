"""Peers and connections that fall silent but stay open: they are detected and block no other client."""

import time
from pathlib import Path

from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults
from facecli.chaos.proxy import Proxy
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fault_proxy import check_sent_once, frozen, holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import check_upload, upload_command
from tests.support.eventually import DEADLINE

SIZE = 16  # MiB
QUARTER, HALF = SIZE // 4 * MIB, SIZE // 2 * MIB
SLOW = Faults(rate=8_000_000)  # two seconds for the file: time to freeze a process in the middle
DETECTED_WITHIN = 45  # seconds; a ping is sent after 5 and has 5 to be answered. gRPC by itself waits for 60
IMPATIENT = {"FACECLI_IDLE_LIMIT": "1s", "FACECLI_MIN_RATE": "1MB"}


def test_an_upload_moves_to_a_new_connection_when_a_blackhole_is_detected(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        holding_proxy(server.address, after=HALF) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        upload.wait_until_stored(QUARTER)
        proxy.blackhole()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.BLACKHOLE)), DEADLINE)
        proxy.release(Direction.SERVER)
        upload.wait_until_retrying()
        result = upload.wait()
    check_upload(result, server, path, user)
    check_sent_once(result, proxy)


def test_an_upload_detects_a_frozen_server_and_resumes_when_it_continues(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        upload.wait_until_stored(QUARTER)
        with frozen(server.pid):
            began = time.monotonic()
            upload.wait_until_retrying()
            seconds = time.monotonic() - began
        result = upload.wait()
    check_upload(result, server, path, user)
    check_sent_once(result, proxy)
    assert seconds < DETECTED_WITHIN


def test_a_frozen_client_times_out_and_resumes_from_stored_chunks(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(options=["--workers", "0"], environment=IMPATIENT)
    path = file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        known = upload.wait_until_stored(QUARTER)
        with frozen(upload.pid):
            server.wait_for_log("DEADLINE_EXCEEDED")
            assert known <= server.uploads(user)[path.name] < SIZE * MIB
        result = upload.wait()
    assert result.object["retries"] >= 1
    check_upload(result, server, path, user)


def test_a_client_below_the_minimum_rate_is_rejected_and_resumes_over_a_faster_line(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"], environment=IMPATIENT), file(SIZE // 4)
    with Proxy(server.address, faults=Faults(rate=100_000)) as proxy:
        ended = run(*upload_command(path, proxy.address, user), "--retry-for", "0s", expect=7)
    assert "less than 1000000 bytes a second" in ended.error["message"]
    check_upload(run(*upload_command(path, server.address, user)), server, path, user)


def test_a_second_client_takes_over_from_a_frozen_one_and_fences_it_off(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as first,
    ):
        known = first.wait_until_stored(QUARTER)
        with frozen(first.pid):
            second = run(*upload_command(path, server.address, user))
        result = first.wait()
    check_upload(second, server, path, user)
    assert second.object["retries"] == 0, "it had to wait"
    assert second.object["bytes_skipped"] >= known
    waits = [event["reason"] for event in result.events if event.get("event") == "waiting"]
    assert "another writer continues the upload of clip.mp4" in waits
    assert result.object["file_url"] == second.object["file_url"]
    check_nothing_missing(server, user, path)


def test_a_second_client_takes_over_from_one_behind_a_blackhole(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        holding_proxy(server.address, after=HALF) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as first,
    ):
        known = first.wait_until_stored(QUARTER)
        proxy.blackhole()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.BLACKHOLE)), DEADLINE)
        second = run(*upload_command(path, server.address, user))
        first.kill()
        check_upload(second, server, path, user)
        assert second.object["retries"] == 0, "it had to wait"
        assert second.object["bytes_skipped"] >= known
    check_nothing_missing(server, user, path)


def check_nothing_missing(server: Server, user: str, path: Path) -> None:
    """Assert that the upload is complete and right: sending it again sends nothing."""
    again = run(*upload_command(path, server.address, user)).object
    assert (again["bytes_sent"], again["bytes_skipped"]) == (0, path.stat().st_size)
    assert server.sha256(again["file_url"], user) == sha256(path)
