"""Time passes, or jumps: abandoned uploads go with their bytes, live ones never.

What holds when the clock of the server's machine jumps: every unfinished upload stays, whether somebody sends
it just then or not, and so does what is complete. Nothing that waits is disturbed: a clock that does not jump
measures that. An upload goes when both clocks say so; when the one on the wall jumps back it stays longer, by
as much.
"""

import time
from pathlib import Path

from facecli.chaos.events import Direction
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files as kept
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.strace import Strace, until

pytestmark = needs("strace")

SIZE = 6  # MiB
HELD = 3.5  # MiB; the relay keeps the rest, in the middle of a chunk
SOON = {"FACECLI_UPLOAD_EXPIRY": "1s"}
YEAR = 365 * 86400


def test_an_abandoned_upload_goes_with_its_bytes_while_one_held_open_and_a_complete_one_stay(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server = serve(options=["--workers", "0"], environment=SOON)
    complete, held, left = (file(SIZE, name) for name in ("complete.mp4", "held.mp4", "left.mp4"))
    url = run(*command(complete, server.address, user)).object["file_url"]
    with (
        held_line(server.address, after=int(HELD * MIB)) as relay,
        Running(*command(held, relay.address, user)) as holding,
    ):
        holding.stored(3 * MIB)
        abandon(server, user, left)
        until(lambda: all(over(server, user, path) for path in (held, left)))
        look_for_abandoned(server)
        assert {upload.name for upload in kept.uploads(server, user)} == {"complete.mp4", "held.mp4"}
        kept.check_agreement(server, user)
        relay.release(Direction.SERVER)
        done = holding.done()
    assert (done.code, done.object["bytes_sent"], done.object["retries"]) == (0, SIZE * MIB, 0)
    assert server.sha256(done.object["file_url"], user) == sha256(held)
    assert server.sha256(url, user) == sha256(complete)
    again = run(*command(left, server.address, user)).object
    assert (again["bytes_sent"], again["bytes_skipped"]) == (SIZE * MIB, 0)


def test_an_upload_whose_time_is_not_over_stays_and_goes_on(serve: Serve, user: str, file: MakeFile) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    abandon(server, user, path)
    look_for_abandoned(server)
    assert run(*command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_upload_held_open_lives_through_a_clock_that_jumps_a_year_ahead_and_back(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    with (
        held_line(server.address, after=int(HELD * MIB)) as relay,
        Running(*command(path, relay.address, user)) as upload,
    ):
        upload.stored(3 * MIB)
        clock.set(YEAR)
        look_for_abandoned(server)
        clock.set(-YEAR)
        look_for_abandoned(server)
        clock.set(0)
        relay.release(Direction.SERVER)
        done = upload.done()
    assert (done.code, done.object["bytes_sent"], done.object["retries"]) == (0, SIZE * MIB, 0)
    assert server.sha256(done.object["file_url"], user) == sha256(path)


def test_an_upload_that_nobody_sends_just_now_lives_through_a_clock_that_jumps_back(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    clock.set(-YEAR)
    look_for_abandoned(server)
    done = run(*command(path, server.address, user)).object
    assert done["bytes_skipped"] >= MIB
    assert server.sha256(done["file_url"], user) == sha256(path)


def test_an_upload_that_stored_a_chunk_just_now_lives_through_a_clock_that_jumps_ahead(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    clock.set(YEAR)
    look_for_abandoned(server)
    clock.set(0)
    assert run(*command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_upload_lives_through_a_start_with_a_clock_that_is_a_year_ahead(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    server.terminate()
    clock.set(YEAR)
    server.start()
    look_for_abandoned(server)
    assert run(*command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_upload_that_is_begun_again_has_all_its_time_before_it(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    abandon(server, user, path)
    before = kept.upload(server, user, path.name)
    kept.begin(server, user, path, name=path.name, chunk_size=MIB, writes=False)
    after = kept.upload(server, user, path.name)
    assert (after.upload_id, after.stored_bytes) == (before.upload_id, before.stored_bytes)
    assert after.expires_at.ToNanoseconds() > before.expires_at.ToNanoseconds()


def command(path: Path, address: str, user: str) -> tuple[object, ...]:
    to = ("--server", address, "--user", user, "--chunk-size", MIB)
    return ("upload", path, *to, "--progress", "json", "--json")


def abandon(server: Server, user: str, path: Path) -> None:
    """Send a part of a file, and be killed."""
    with (
        held_line(server.address, after=int(HELD * MIB)) as relay,
        Running(*command(path, relay.address, user)) as upload,
    ):
        upload.stored(MIB)
        upload.kill()
    server.heard("StreamUpload")  # which its log says when it is over


def over(server: Server, user: str, path: Path) -> bool:
    """Whether an upload's time is over, if nobody sends it."""
    return kept.upload(server, user, path.name).expires_at.ToNanoseconds() < time.time_ns()


def look_for_abandoned(server: Server) -> None:
    """Until the server has looked for abandoned uploads: when it looks again, it is through with that."""
    for _ in range(2):
        until(lambda: looks_at_rows(server))


def looks_at_rows(server: Server) -> bool:
    """Let whatever waits in the server find that its time has passed; whether one then looks at the rows."""
    with Strace(server, "restart_syscall", what="error=ETIMEDOUT", beside="fcntl") as strace:
        enough = time.monotonic() + 0.5
        while time.monotonic() < enough:
            woken = set[str]()
            for line in strace.lines:
                thread = line.split()[0]
                if thread in woken and " fcntl(" in line and "facecli.db" in line:
                    return True
                if "ETIMEDOUT" in line:
                    woken.add(thread)
            time.sleep(0.01)
    return False
