"""Peers and lines that fall silent and stay open: they are noticed, and keep nobody else from going on."""

import time
from pathlib import Path

from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults
from facecli.chaos.proxy import Proxy
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fault_proxy import check_sent_once, check_upload, command, frozen, held
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import DEADLINE, Event, Running, run
from tests.support.e2e.server import Server

SIZE = 16  # MiB
QUARTER, HALF = SIZE // 4 * MIB, SIZE // 2 * MIB
SLOW = Faults(rate=8_000_000)  # two seconds for the file: time to freeze somebody in its middle
UNANSWERED = 45  # seconds; a peer is asked after five and has five to answer. gRPC by itself waits for sixty
IMPATIENT = {"FACECLI_IDLE_LIMIT": "1s", "FACECLI_MIN_RATE": "1MB"}


def test_a_blackhole_is_noticed_and_the_upload_goes_on_over_another_connection(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        held(server.address, after=HALF) as line,
        Running(*command(path, line.address, user)) as upload,
    ):
        upload.stored(QUARTER)
        line.blackhole()
        assert line.wait_for(lambda: bool(line.events_of(EventKind.BLACKHOLE)), DEADLINE)
        line.release(Direction.SERVER)
        upload.event(waiting)
        done = upload.done()
    check_upload(done, server, path, user)
    check_sent_once(done, line)


def test_a_frozen_server_is_noticed_and_the_upload_goes_on_when_it_is_back(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as line,
        Running(*command(path, line.address, user)) as upload,
    ):
        upload.stored(QUARTER)
        with frozen(server.pid):
            began = time.monotonic()
            upload.event(waiting)
            noticed = time.monotonic() - began
        done = upload.done()
    check_upload(done, server, path, user)
    check_sent_once(done, line)
    assert noticed < UNANSWERED


def test_a_frozen_client_is_ended_after_the_idle_limit_and_goes_on_with_what_was_kept(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(options=["--workers", "0"], environment=IMPATIENT)
    path = file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as line,
        Running(*command(path, line.address, user)) as upload,
    ):
        known = upload.stored(QUARTER)
        with frozen(upload.pid):
            server.heard("DEADLINE_EXCEEDED")
            assert known <= server.uploads(user)[path.name] < SIZE * MIB
        done = upload.done()
    assert done.object["retries"] >= 1
    check_upload(done, server, path, user)


def test_a_client_that_is_too_slow_is_ended_and_goes_on_over_a_better_line(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"], environment=IMPATIENT), file(SIZE // 4)
    with Proxy(server.address, faults=Faults(rate=100_000)) as line:
        ended = run(*command(path, line.address, user), "--retry-for", "0s", expect=7)
    assert "less than 1000000 bytes a second" in ended.error["message"]
    check_upload(run(*command(path, server.address, user)), server, path, user)


def test_another_client_takes_over_at_once_from_a_frozen_one_that_can_then_add_nothing(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        Proxy(server.address, faults=SLOW) as line,
        Running(*command(path, line.address, user)) as first,
    ):
        known = first.stored(QUARTER)
        with frozen(first.pid):
            second = run(*command(path, server.address, user))
        done = first.done()
    check_upload(second, server, path, user)
    assert second.object["retries"] == 0, "it had to wait"
    assert second.object["bytes_skipped"] >= known
    assert (done.code, done.error["reason"]) == (7, "TAKEN_OVER")
    check_nothing_is_missing(server, user, path)


def test_another_client_takes_over_at_once_from_one_that_a_blackhole_left_half_open(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(SIZE)
    with (
        held(server.address, after=HALF) as line,
        Running(*command(path, line.address, user)) as first,
    ):
        known = first.stored(QUARTER)
        line.blackhole()
        assert line.wait_for(lambda: bool(line.events_of(EventKind.BLACKHOLE)), DEADLINE)
        second = run(*command(path, server.address, user))
        first.kill()
        check_upload(second, server, path, user)
        assert second.object["retries"] == 0, "it had to wait"
        assert second.object["bytes_skipped"] >= known
    check_nothing_is_missing(server, user, path)


def check_nothing_is_missing(server: Server, user: str, path: Path) -> None:
    """The upload is complete and right; who sends it again sends nothing."""
    again = run(*command(path, server.address, user)).object
    assert (again["bytes_sent"], again["bytes_skipped"]) == (0, path.stat().st_size)
    assert server.sha256(again["file_url"], user) == sha256(path)


def waiting(event: Event) -> bool:
    return event.get("event") == "waiting"
