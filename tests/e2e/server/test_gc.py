"""Garbage collection by `facecli gc`: it deletes garbage and no live data, also after a clock jump."""

import os
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB
from tests.support.e2e.process import CommandProcess, Event, invoke, run
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import upload_command
from tests.support.eventually import eventually

MONTH = 31 * 86400  # seconds
SIZE = 6  # MiB
HELD_AFTER = 3.5  # MiB


@pytest.fixture
def used(
    serve: Serve, user: str, file: MakeFile, face: Path, clip: Path, request: pytest.FixtureRequest
) -> Server:
    """A stopped server with an incomplete upload and a completed task.

    A parameter names the fixture of a database other than SQLite.
    """
    database = request.getfixturevalue(request.param) if hasattr(request, "param") else ""
    server = serve(environment={"FACECLI_DATABASE": database})
    with (
        holding_proxy(server.address, after=int(HELD_AFTER * MIB)) as proxy,
        CommandProcess(*upload_command(file(SIZE), proxy.address, user)) as sending,
    ):
        sending.wait_until_stored(MIB)
        sending.kill()
    create = ("task", "create", "--image", face, "--video", clip, "--watch", "-q")
    invoke(*create, "--server", server.address, "--user", user)
    eventually(lambda: not server.work_files())  # the worker removes them after the row says "completed"
    server.terminate()
    return server


def test_a_clock_that_jumped_a_month_ahead_deletes_nothing(
    used: Server, user: str, tmp_path: Path, clock: FakeClock
) -> None:
    clock.set(MONTH)
    before = files(used)
    listed = gc(used, clock=clock)
    assert {(item["kind"], item["action"]) for item in listed} == {("upload", "kept"), ("task", "kept")}
    assert files(used) == before
    used.start()
    again = invoke(*upload_command(tmp_path / "clip.mp4", used.address, user)).object
    assert again["bytes_skipped"] >= MIB
    assert invoke("task", "list", "-q", "--server", used.address, "--user", user).out


@pytest.mark.parametrize("used", ["postgresql"], indirect=True)
def test_a_trusted_clock_deletes_expired_data_with_all_its_files(
    used: Server, user: str, clock: FakeClock
) -> None:
    clock.set(MONTH)
    deleted = gc(used, "--trust-clock", clock=clock)
    assert {(item["kind"], item["action"]) for item in deleted} == {
        ("upload", "removed"),
        ("task", "removed"),
    }
    assert used.results() == used.work_files() == []
    used.start()
    assert invoke("task", "list", "-q", "--server", used.address, "--user", user).out == ""


def test_gc_deletes_orphans_and_a_dry_run_beside_a_server_changes_nothing(used: Server) -> None:
    orphans = {"blob": "uploads/dead", "work": "work/dead"}
    used.start("--workers", "0")  # it collects garbage when it starts
    week_ago = time.time() - 7 * 86400
    for name in orphans.values():
        (used.data / name).mkdir()
        (used.data / name / "data").write_bytes(b"x" * 1000)
        for path in (used.data / name / "data", used.data / name):
            os.utime(path, (week_ago, week_ago))
    before = files(used)
    expected = [{"kind": kind, "id": name, "bytes": 1000} for kind, name in orphans.items()]
    assert [summary(item) for item in gc(used, "--dry-run")] == expected
    assert files(used) == before
    refused = invoke("gc", "--data-dir", used.data, "--json", expect=1).error
    assert (refused["reason"], "--dry-run" in refused["message"]) == ("DIRECTORY_IN_USE", True)
    assert files(used) == before
    used.terminate()
    assert [summary(item) for item in gc(used)] == expected
    assert gc(used) == []
    (used.data / "uploads" / "young").mkdir()
    assert [item["action"] for item in gc(used)] == ["kept"]
    assert [item["action"] for item in gc(used, "--trust-database")] == ["removed"]


def gc(server: Server, *options: str, clock: FakeClock | None = None) -> list[Event]:
    database = {"FACECLI_DATABASE": server.environment["FACECLI_DATABASE"]}
    command = ("gc", "--data-dir", server.data, *options, "--json")
    if clock:
        return run(*command, environment={**database, **clock.environment}).objects
    return invoke(*command, environment=database).objects


def summary(item: Event) -> Event:
    return {name: item[name] for name in ("kind", "id", "bytes")}


def files(server: Server) -> dict[Path, bytes]:
    """The content of every file except the databases, which a server writes to by itself."""
    paths = [path for path in server.data.rglob("*") if path.is_file() and ".db" not in path.name]
    return {path: path.read_bytes() for path in paths}
