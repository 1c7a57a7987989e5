"""Uploads over lines that break, narrow, lengthen, flap and lie: the bytes are right, the exit code is 0."""

import pytest

from facecli.api.upload_pipeline import RECEIVE_QUEUE
from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults, Flap, Span
from facecli.chaos.proxy import Proxy
from facecli.uploads.upload import FRAME_SIZE
from facecli.wire.channel import RECEIVE_WINDOW
from tests.e2e.conftest import MakeFile
from tests.support.e2e.fault_proxy import (
    CHUNK,
    OVERHEAD,
    TALK,
    check_sent_once,
    check_upload,
    command,
    held,
    reasons,
    wait_until_stored,
)
from tests.support.e2e.files import MIB
from tests.support.e2e.process import DEADLINE, Running, run
from tests.support.e2e.server import Server

# What a client may have sent that is in no chunk yet. HTTP/2 lets it fill the window of its stream, whatever
# sockets and proxies lie between, and a frame is in each hand it goes through: the client's and its gRPC's,
# the server's gRPC's and its receiver's, those that wait to be written, and the one that is.
UNDER_WAY = RECEIVE_WINDOW + (RECEIVE_QUEUE + 5) * FRAME_SIZE


@pytest.mark.parametrize("reset", [False, True], ids=["plain", "reset"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_upload_goes_on_after_every_cut_at_a_random_byte(
    server: Server, user: str, file: MakeFile, seed: int, reset: bool
) -> None:
    path = file(32)
    faults = Faults(cut=Span(low=9 * MIB, high=14 * MIB), reset=reset, seed=seed)
    with Proxy(server.address, faults=faults) as line:
        done = run(*command(path, line.address, user))
    check_upload(done, server, path, user)
    check_sent_once(done, line)
    assert done.object["retries"] >= len(line.happened(EventKind.CUT)) >= 2


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_an_upload_goes_on_after_a_cut_about_where_a_chunk_ends(
    server: Server, user: str, file: MakeFile, off: int
) -> None:
    path = file(16)
    cut = Span(low=9 * MIB + off, high=9 * MIB + off)
    with Proxy(server.address, faults=Faults(cut=cut, cuts=1)) as line:
        done = run(*command(path, line.address, user))
    check_upload(done, server, path, user)
    check_sent_once(done, line)
    assert len(line.happened(EventKind.CUT)) == 1


def test_a_cut_costs_no_more_than_the_chunk_it_came_in_and_what_was_under_way(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(40)
    with Proxy(server.address, faults=Faults(cut=Span(low=11 * MIB, high=13 * MIB), cuts=3)) as line:
        done = run(*command(path, line.address, user))
    check_upload(done, server, path, user)
    assert len(line.happened(EventKind.CUT)) == 3
    # What had come whole was stored, acknowledged or not.
    assert done.object["bytes_sent"] <= path.stat().st_size + 3 * (CHUNK + UNDER_WAY)


def test_a_long_and_narrow_line_costs_time_and_nothing_else(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(12)
    with Proxy(server.address, faults=Faults(delay=0.02, rate=20_000_000)) as line:
        done = run(*command(path, line.address, user))
        assert path.stat().st_size < line.passed(Direction.SERVER) < path.stat().st_size * OVERHEAD
    check_upload(done, server, path, user)
    assert (done.object["retries"], done.object["bytes_sent"]) == (0, path.stat().st_size)
    assert done.object["seconds"] >= path.stat().st_size / 20_000_000


def test_a_line_so_slow_that_questions_wait_behind_the_bytes_is_not_taken_for_dead(
    server: Server, user: str, file: MakeFile
) -> None:
    """Whoever is asked whether it lives hears of it only after the megabytes that the line has taken."""
    path = file(3)
    with Proxy(server.address, faults=Faults(rate=200_000)) as line:
        done = run(*command(path, line.address, user), "--chunk-size", "10MiB")
    check_upload(done, server, path, user)
    assert done.object["retries"] <= 2, "what is slow is found out once"


def test_an_upload_goes_on_whenever_a_flapping_line_is_up(server: Server, user: str, file: MakeFile) -> None:
    path = file(40)
    with Proxy(server.address, faults=Faults(flap=Flap(up=1.5, down=0.4), rate=15_000_000)) as line:
        done = run(*command(path, line.address, user))
    check_upload(done, server, path, user)
    check_sent_once(done, line)
    assert line.happened(EventKind.DOWN)


def test_a_damaged_chunk_is_refused_and_sent_again(server: Server, user: str, file: MakeFile) -> None:
    path = file(24)
    faults = Faults(flip=Span(low=4 * MIB + 100_000, high=8 * MIB))
    with Proxy(server.address, faults=faults) as line:
        done = run(*command(path, line.address, user))
    assert len(line.happened(EventKind.FLIP)) >= 2
    # A bit of HTTP/2 itself may be hit as well, which is a break like any other; hardly ever each time.
    assert any("crc32c" in reason for reason in reasons(done)), reasons(done)
    check_upload(done, server, path, user)


@pytest.mark.parametrize("last", [False, True], ids=["in-the-middle", "the-last-chunk"])
def test_what_was_stored_and_not_acknowledged_before_a_cut_is_not_sent_again(
    server: Server, user: str, file: MakeFile, last: bool
) -> None:
    path = file(6 if last else 24)
    with (
        held(server.address, after=4 * MIB) as line,
        Running(*command(path, line.address, user)) as upload,
    ):
        known = upload.stored(2 * MIB)
        line.hold(Direction.CLIENT)
        line.release(Direction.SERVER)
        if not last:
            line.hold(Direction.SERVER, after=7 * MIB)
        stored = wait_until_stored(
            server, user, path.name, path.stat().st_size if last else known + 2 * CHUNK
        )
        line.cut()
        assert line.wait_for(lambda: bool(line.happened(EventKind.CUT)), DEADLINE)
        for toward in Direction:
            line.release(toward)
        done = upload.done()
    check_upload(done, server, path, user)
    (cut,) = line.happened(EventKind.CUT)
    after = line.passed(Direction.SERVER) - cut.total_to_server
    assert after <= (path.stat().st_size - stored) * OVERHEAD + TALK
