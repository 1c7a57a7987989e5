"""Expiry of uploads: abandoned ones are deleted with their bytes, live ones never, also when the clock jumps.

Theory of operation: an upload expires only when both the wall clock and the monotonic clock say so. A jump of
the wall clock therefore deletes neither an unfinished upload nor a complete one, and a jump back only delays
the expiry, by as much as the jump. Timeouts use the monotonic clock alone and are not disturbed.
"""

import time
from pathlib import Path

from facecli.chaos.events import Direction
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import upload_command
from tests.support.eventually import eventually

EXPIRY = "UploadCollector.expire"
SIZE = 6  # MiB
HELD_AFTER = 3.5  # MiB; the proxy holds the rest back, from the middle of a chunk
YEAR = 365 * 86400  # seconds


def test_an_abandoned_upload_expires_but_active_and_complete_ones_stay(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    environment = {**clock.environment, "FACECLI_UPLOAD_EXPIRY": "1s"}
    server = serve(options=["--workers", "0"], environment=environment)
    complete, active, abandoned = (
        file(SIZE, name) for name in ("complete.mp4", "active.mp4", "abandoned.mp4")
    )
    url = run(*upload_command(complete, server.address, user)).object["file_url"]
    with (
        holding_proxy(server.address, after=int(HELD_AFTER * MIB)) as proxy,
        CommandProcess(*upload_command(active, proxy.address, user)) as sending,
    ):
        sending.wait_until_stored(3 * MIB)
        abandon(server, user, abandoned)
        eventually(lambda: all(expired(server, user, path) for path in (active, abandoned)))
        clock.wait_for_job(EXPIRY)
        assert {upload.name for upload in stored_files.uploads(server, user)} == {
            "complete.mp4",
            "active.mp4",
        }
        stored_files.check_agreement(server, user)
        proxy.release(Direction.SERVER)
        result = sending.wait()
    assert (result.code, result.object["bytes_sent"], result.object["retries"]) == (0, SIZE * MIB, 0)
    assert server.sha256(result.object["file_url"], user) == sha256(active)
    assert server.sha256(url, user) == sha256(complete)
    again = run(*upload_command(abandoned, server.address, user)).object
    assert (again["bytes_sent"], again["bytes_skipped"]) == (SIZE * MIB, 0)


def test_an_upload_that_has_not_expired_resumes(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    clock.wait_for_job(EXPIRY)
    assert run(*upload_command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_active_upload_survives_a_clock_that_jumps_ahead_and_back(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    with (
        holding_proxy(server.address, after=int(HELD_AFTER * MIB)) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        upload.wait_until_stored(3 * MIB)
        clock.set(YEAR)
        clock.wait_for_job(EXPIRY)
        clock.set(-YEAR)
        clock.wait_for_job(EXPIRY)
        clock.set(0)
        proxy.release(Direction.SERVER)
        result = upload.wait()
    assert (result.code, result.object["bytes_sent"], result.object["retries"]) == (0, SIZE * MIB, 0)
    assert server.sha256(result.object["file_url"], user) == sha256(path)


def test_an_inactive_upload_survives_a_clock_that_jumps_back(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    clock.set(-YEAR)
    clock.wait_for_job(EXPIRY)
    result = run(*upload_command(path, server.address, user)).object
    assert result["bytes_skipped"] >= MIB
    assert server.sha256(result["file_url"], user) == sha256(path)


def test_a_recently_active_upload_survives_a_clock_that_jumps_ahead(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    clock.set(YEAR)
    clock.wait_for_job(EXPIRY)
    clock.set(0)
    assert run(*upload_command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_upload_survives_a_restart_with_a_clock_that_is_a_year_ahead(
    serve: Serve, user: str, file: MakeFile, clock: FakeClock
) -> None:
    server, path = serve(options=["--workers", "0"], environment=clock.environment), file(SIZE)
    abandon(server, user, path)
    server.terminate()
    clock.set(YEAR)
    server.start()
    clock.wait_for_job(EXPIRY)
    assert run(*upload_command(path, server.address, user)).object["bytes_skipped"] >= MIB


def test_an_upload_that_is_begun_again_has_its_full_time_to_expiry(
    serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(options=["--workers", "0"]), file(SIZE)
    abandon(server, user, path)
    before = stored_files.upload(server, user, path.name)
    stored_files.begin(server, user, path, name=path.name, chunk_size=MIB, create_file=False)
    after = stored_files.upload(server, user, path.name)
    assert (after.upload_id, after.stored_bytes) == (before.upload_id, before.stored_bytes)
    assert after.expires_at.ToNanoseconds() > before.expires_at.ToNanoseconds()


def abandon(server: Server, user: str, path: Path) -> None:
    """Kill a client that has sent a part of a file."""
    with (
        holding_proxy(server.address, after=int(HELD_AFTER * MIB)) as proxy,
        CommandProcess(*upload_command(path, proxy.address, user)) as upload,
    ):
        upload.wait_until_stored(MIB)
        upload.kill()
    server.wait_for_log("StreamUpload")  # logged at the end of the call


def expired(server: Server, user: str, path: Path) -> bool:
    """Whether the expiry time of an upload has passed, which deletes it unless it is active."""
    found = [upload for upload in stored_files.uploads(server, user) if upload.name == path.name]
    return all(upload.expires_at.ToNanoseconds() < time.time_ns() for upload in found)
