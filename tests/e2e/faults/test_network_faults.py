"""Uploads over connections that break, slow down, lag, flap and corrupt bytes: the result is right."""

import pytest

from facecli.api.upload_pipeline import RECEIVE_QUEUE
from facecli.chaos.events import Direction, EventKind
from facecli.chaos.faults import Faults, Flap, Span
from facecli.chaos.proxy import Proxy
from facecli.uploads.upload import FRAME_SIZE
from facecli.wire.channel import RECEIVE_WINDOW
from tests.e2e.conftest import MakeFile
from tests.support.e2e.fault_proxy import CONTROL_BYTES, OVERHEAD, check_sent_once, holding_proxy
from tests.support.e2e.files import MIB
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import CHUNK, check_upload, retry_reasons, upload_command, wait_until_stored
from tests.support.eventually import DEADLINE

# Bytes that a client may have sent and that are in no chunk yet. HTTP/2 lets it fill the window of its
# stream, whatever sockets and proxies lie between. Beyond that each stage holds one frame: the client and its
# gRPC, the gRPC, the receiver and the writer of the server; RECEIVE_QUEUE more wait to be written.
IN_FLIGHT = RECEIVE_WINDOW + (RECEIVE_QUEUE + 5) * FRAME_SIZE


@pytest.mark.parametrize("reset", [False, True], ids=["plain", "reset"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_upload_resumes_after_cuts_at_random_bytes(
    server: Server, user: str, file: MakeFile, seed: int, reset: bool
) -> None:
    path = file(32)
    faults = Faults(cut=Span(low=9 * MIB, high=14 * MIB), reset=reset, seed=seed)
    with Proxy(server.address, faults=faults) as proxy:
        result = run(*upload_command(path, proxy.address, user))
    check_upload(result, server, path, user)
    check_sent_once(result, proxy)
    assert result.object["retries"] >= len(proxy.events_of(EventKind.CUT)) >= 2


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_an_upload_resumes_after_a_cut_at_a_chunk_boundary(
    server: Server, user: str, file: MakeFile, off: int
) -> None:
    path = file(16)
    cut = Span(low=9 * MIB + off, high=9 * MIB + off)
    with Proxy(server.address, faults=Faults(cut=cut, cuts=1)) as proxy:
        result = run(*upload_command(path, proxy.address, user))
    check_upload(result, server, path, user)
    check_sent_once(result, proxy)
    assert len(proxy.events_of(EventKind.CUT)) == 1


def test_a_cut_costs_at_most_one_chunk_and_the_bytes_in_flight(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(40)
    with Proxy(server.address, faults=Faults(cut=Span(low=11 * MIB, high=13 * MIB), cuts=3)) as proxy:
        result = run(*upload_command(path, proxy.address, user))
    check_upload(result, server, path, user)
    assert len(proxy.events_of(EventKind.CUT)) == 3
    # Chunks that had arrived whole were stored, acknowledged or not.
    assert result.object["bytes_sent"] <= path.stat().st_size + 3 * (CHUNK + IN_FLIGHT)


def test_high_latency_and_low_bandwidth_cost_only_time(server: Server, user: str, file: MakeFile) -> None:
    path = file(12)
    with Proxy(server.address, faults=Faults(delay=0.02, rate=20_000_000)) as proxy:
        result = run(*upload_command(path, proxy.address, user))
        assert path.stat().st_size < proxy.passed(Direction.SERVER) < path.stat().st_size * OVERHEAD
    check_upload(result, server, path, user)
    assert (result.object["retries"], result.object["bytes_sent"]) == (0, path.stat().st_size)
    assert result.object["seconds"] >= path.stat().st_size / 20_000_000


@pytest.mark.slow
def test_a_slow_connection_with_late_pings_is_not_taken_for_dead(
    server: Server, user: str, file: MakeFile
) -> None:
    """A keepalive ping queues behind the megabytes that the connection has already accepted."""
    path = file(2)
    with Proxy(server.address, faults=Faults(rate=160_000)) as proxy:
        result = run(*upload_command(path, proxy.address, user), "--chunk-size", "10MiB")
    check_upload(result, server, path, user)
    assert result.object["retries"] <= 2, "the slow connection was taken for dead more than once"


def test_an_upload_resumes_when_a_flapping_connection_is_up(
    server: Server, user: str, file: MakeFile
) -> None:
    path = file(40)
    with Proxy(server.address, faults=Faults(flap=Flap(up=1.5, down=0.4), rate=15_000_000)) as proxy:
        result = run(*upload_command(path, proxy.address, user))
    check_upload(result, server, path, user)
    check_sent_once(result, proxy)
    assert proxy.events_of(EventKind.DOWN)


def test_a_damaged_chunk_is_refused_and_sent_again(server: Server, user: str, file: MakeFile) -> None:
    path = file(24)
    faults = Faults(flip=Span(low=4 * MIB + 100_000, high=8 * MIB))
    with Proxy(server.address, faults=faults) as proxy:
        result = run(*upload_command(path, proxy.address, user))
    assert len(proxy.events_of(EventKind.FLIP)) >= 2
    # A flip may also hit HTTP/2 itself, which breaks the connection; hardly every flip does.
    assert any("crc32c" in reason for reason in retry_reasons(result)), retry_reasons(result)
    check_upload(result, server, path, user)


@pytest.mark.parametrize("last", [False, True], ids=["in-the-middle", "the-last-chunk"])
def test_chunks_stored_but_not_acknowledged_before_a_cut_are_not_sent_again(
    server: Server, user: str, file: MakeFile, last: bool
) -> None:
    path = file(6 if last else 24)
    with (
        holding_proxy(server.address, after=4 * MIB) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        known = upload.wait_until_stored(2 * MIB)
        proxy.hold(Direction.CLIENT)
        proxy.release(Direction.SERVER)
        if not last:
            proxy.hold(Direction.SERVER, after=7 * MIB)
        stored = wait_until_stored(
            server, user, path.name, path.stat().st_size if last else known + 2 * CHUNK
        )
        proxy.cut()
        assert proxy.wait_for(lambda: bool(proxy.events_of(EventKind.CUT)), DEADLINE)
        for direction in Direction:
            proxy.release(direction)
        result = upload.wait()
    check_upload(result, server, path, user)
    (cut,) = proxy.events_of(EventKind.CUT)
    after = proxy.passed(Direction.SERVER) - cut.total_to_server
    assert after <= (path.stat().st_size - stored) * OVERHEAD + CONTROL_BYTES
