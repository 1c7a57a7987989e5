"""`facecli gc` on a real data directory: what nobody needs goes, nothing live does, whatever a clock says."""

from pathlib import Path

import pytest

from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e.fake_clock import FakeClock
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB
from tests.support.e2e.process import Event, Running, run
from tests.support.e2e.server import Server

MONTH = 31 * 86400
SIZE = 6  # MiB
HELD = 3.5  # MiB


@pytest.fixture
def used(
    serve: Serve, user: str, file: MakeFile, face: Path, clip: Path, request: pytest.FixtureRequest
) -> Server:
    """A server that was stopped, with an upload that was cut short and a task that completed.

    A parameter names the fixture of another database than SQLite.
    """
    database = request.getfixturevalue(request.param) if hasattr(request, "param") else ""
    server = serve(environment={"FACECLI_DATABASE": database})
    with (
        held_line(server.address, after=int(HELD * MIB)) as relay,
        Running(*upload(file(SIZE), relay.address, user)) as sending,
    ):
        sending.stored(MIB)
        sending.kill()
    create = ("task", "create", "--image", face, "--video", clip, "--watch", "-q")
    run(*create, "--server", server.address, "--user", user)
    server.terminate()
    return server


def test_a_clock_that_jumped_a_month_ahead_takes_nothing_live(
    used: Server, user: str, tmp_path: Path, clock: FakeClock
) -> None:
    clock.set(MONTH)
    before = files(used)
    kept = gc(used, clock=clock)
    assert {(found["kind"], found["action"]) for found in kept} == {("upload", "kept"), ("task", "kept")}
    assert files(used) == before
    used.start()
    again = run(*upload(tmp_path / "clip.mp4", used.address, user)).object
    assert again["bytes_skipped"] >= MIB
    assert run("task", "list", "-q", "--server", used.address, "--user", user).out


@pytest.mark.parametrize("used", ["postgresql"], indirect=True)
def test_what_is_over_goes_by_a_clock_that_is_trusted_with_all_that_was_its_own(
    used: Server, user: str, clock: FakeClock
) -> None:
    clock.set(MONTH)
    gone = gc(used, "--trust-clock", clock=clock)
    assert {(found["kind"], found["action"]) for found in gone} == {
        ("upload", "removed"),
        ("task", "removed"),
    }
    assert used.results() == used.leftovers() == []
    used.start()
    assert run("task", "list", "-q", "--server", used.address, "--user", user).out == ""


def test_what_no_row_knows_goes_and_a_dry_run_beside_a_server_changes_nothing(used: Server) -> None:
    stray = {"blob": "uploads/dead", "work": "work/dead"}
    used.start("--workers", "0")  # which sweeps as it starts
    for name in stray.values():
        (used.data / name).mkdir()
        (used.data / name / "data").write_bytes(b"x" * 1000)
    before = files(used)
    expected = [{"kind": kind, "id": name, "bytes": 1000} for kind, name in stray.items()]
    assert [short(found) for found in gc(used, "--dry-run")] == expected
    assert files(used) == before
    refused = run("gc", "--data-dir", used.data, "--json", expect=1).error
    assert (refused["reason"], "--dry-run" in refused["message"]) == ("DIRECTORY_IN_USE", True)
    assert files(used) == before
    used.terminate()
    assert [short(found) for found in gc(used)] == expected
    assert gc(used) == []


def upload(path: Path, address: str, user: str) -> tuple[object, ...]:
    to = ("--server", address, "--user", user, "--chunk-size", MIB)
    return ("upload", path, *to, "--progress", "json", "--json")


def gc(server: Server, *options: str, clock: FakeClock | None = None) -> list[Event]:
    database = {"FACECLI_DATABASE": server.environment["FACECLI_DATABASE"]}
    environment = {**database, **(clock.environment if clock else {})}
    return run("gc", "--data-dir", server.data, *options, "--json", environment=environment).objects


def short(found: Event) -> Event:
    return {name: found[name] for name in ("kind", "id", "bytes")}


def files(server: Server) -> dict[Path, bytes]:
    """All that is kept, but for the databases, which a server may write to by itself."""
    kept = [path for path in server.data.rglob("*") if path.is_file() and ".db" not in path.name]
    return {path: path.read_bytes() for path in kept}
