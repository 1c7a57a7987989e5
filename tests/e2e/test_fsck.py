"""`facecli fsck` on a real data directory that was harmed by hand: it says what is wrong, and mends it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.e2e import stored_files as kept
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB, make_file, sha256
from tests.support.e2e.fsck import fsck
from tests.support.e2e.process import Running, run
from tests.support.e2e.server import Server

USER = "ann"
SIZE = 6  # MiB, in chunks of one
HELD = 3.5  # MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A server that was stopped, with one thing of each kind."""

    server: Server
    complete: Path  # the files that were sent
    cut_short: Path
    upload_id: str  # of the complete one
    cut_id: str
    task_id: str

    @property
    def upload(self) -> Path:
        return kept.bytes_of(self.server, self.upload_id)

    @property
    def half(self) -> Path:
        return kept.bytes_of(self.server, self.cut_id)

    @property
    def result(self) -> Path:
        (file,) = (self.server.data / "outputs" / self.task_id).rglob("data")
        return file

    def execute(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.server.data / "facecli.db")) as connection, connection:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, face: Path, clip: Path) -> Iterator[Data]:
    """Made once; what lies in `folder` is copied for every test."""
    folder = tmp_path_factory.mktemp("fsck")
    complete, cut_short = (make_file(folder / name, mib=SIZE) for name in ("complete.mp4", "cut.mp4"))
    with Server(folder / "data") as server:
        done = run(*upload(complete, server)).object
        with (
            held_line(server.address, after=int(HELD * MIB)) as relay,
            Running(*upload(cut_short, server, address=relay.address)) as sending,
        ):
            sending.stored(3 * MIB)
            sending.kill()
        create = ("task", "create", "--image", face, "--video", clip, "--watch", "-q")
        task = run(*create, "--server", server.address, "--user", USER).out.split()[0]
        server.heard("StreamUpload")
        cut_id = kept.upload(server, USER, "cut.mp4").upload_id
        server.terminate()
        assert fsck(server) == []
        yield Data(
            server=server,
            complete=complete,
            cut_short=cut_short,
            upload_id=done["upload_id"],
            cut_id=cut_id,
            task_id=task,
        )


@pytest.fixture
def data(made: Data, tmp_path: Path) -> Iterator[Data]:
    shutil.copytree(made.server.data, tmp_path / "data")
    with ExitStack() as stack:
        server = Server(tmp_path / "data")
        stack.push(server.__exit__)
        yield replace(made, server=server)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        byte = os.pread(file.fileno(), 1, at)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1]), at)


def stray(data: Data, name: str) -> None:
    path = data.server.data / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"stray")


Harm = Callable[[Data], object]
UPLOADS: dict[str, tuple[Harm, str, int]] = {
    "a flipped byte": (lambda data: flip(data.upload, 2 * MIB), "chunk 2 lost", 1),
    "a cut": (lambda data: os.truncate(data.upload, 4 * MIB + 1), "chunks 4-5 lost", 2),
    "a tail": (lambda data: os.truncate(data.upload, SIZE * MIB + 1), "instead of", 0),
    "no file": (lambda data: data.upload.unlink(), "its file is missing", SIZE),
    "no row of a chunk": (
        lambda data: data.execute('DELETE FROM chunks WHERE upload_id = ? AND "index" = 3', data.upload_id),
        "chunk 3 lost",
        1,
    ),
    "a wrong checksum": (
        lambda data: data.execute("UPDATE uploads SET crc32c = 1 WHERE id = ?", data.upload_id),
        "its checksum is not that of its chunks",
        0,
    ),
}


@pytest.mark.parametrize(("harm", "says", "resent"), UPLOADS.values(), ids=UPLOADS)
def test_of_a_harmed_upload_only_the_lost_chunks_are_sent_again(
    data: Data, harm: Harm, says: str, resent: int
) -> None:
    harm(data)
    (found,) = fsck(data.server, expect=8)
    assert (found["kind"], found["id"], found["repaired"]) == ("upload", data.upload_id, False)
    assert says in found["problem"]
    (mended,) = fsck(data.server, "--repair")
    assert mended == {**found, "repaired": True}
    assert fsck(data.server) == []
    data.server.start("--workers", "0")
    again = run(*upload(data.complete, data.server)).object
    assert (again["upload_id"], again["bytes_sent"]) == (data.upload_id, resent * MIB)
    assert data.server.sha256(again["file_url"], USER) == sha256(data.complete)
    data.server.terminate()
    assert fsck(data.server) == []


HALVES: dict[str, tuple[Harm, str, int]] = {
    "a flipped byte": (lambda data: flip(data.half, MIB), "chunk 1 lost", 1),
    "no file": (lambda data: data.half.unlink(), "its file is missing", 3),
    "wrong counts": (
        lambda data: data.execute(
            "UPDATE uploads SET stored_chunks = 1, stored_bytes = 5 WHERE id = ?", data.cut_id
        ),
        "its row counts 5 bytes in 1 chunks",
        0,
    ),
}


@pytest.mark.parametrize(("harm", "says", "lost"), HALVES.values(), ids=HALVES)
def test_an_upload_that_was_cut_short_goes_on_with_what_is_left(
    data: Data, harm: Harm, says: str, lost: int
) -> None:
    harm(data)
    (found,) = fsck(data.server, expect=8)
    assert (found["id"], says in found["problem"]) == (data.cut_id, True)
    fsck(data.server, "--repair")
    assert fsck(data.server) == []
    data.server.start("--workers", "0")
    again = run(*upload(data.cut_short, data.server)).object
    assert (again["upload_id"], again["bytes_skipped"]) == (data.cut_id, (3 - lost) * MIB)
    assert data.server.sha256(again["file_url"], USER) == sha256(data.cut_short)


@pytest.mark.parametrize("harm", [lambda path: flip(path, 99), os.unlink], ids=["flipped", "deleted"])
def test_a_lost_result_is_made_again_by_a_retry(data: Data, harm: Callable[[Path], object]) -> None:
    before = sha256(data.result)
    harm(data.result)
    (found,) = fsck(data.server, expect=8)
    assert (found["kind"], found["id"]) == ("task", data.task_id)
    fsck(data.server, "--repair")
    assert fsck(data.server) == []
    data.server.start()
    to = ("--server", data.server.address, "--user", USER, "--json")
    assert run("task", "status", data.task_id, *to).object["error"]["reason"] == "RESULT_LOST"
    run("task", "retry", data.task_id, *to)
    run("task", "watch", data.task_id, *to)
    assert sha256(data.result) == before


def test_what_no_row_knows_is_removed_and_a_damaged_database_is_left_to_a_backup(data: Data) -> None:
    orphans = ["outputs/dead/run", "uploads/dead", "work/dead"]
    for orphan in orphans:
        stray(data, f"{orphan}/data")
    strays = fsck(data.server, expect=8)
    assert sorted((damage["kind"], damage["id"]) for damage in strays) == [
        ("orphan", name) for name in orphans
    ]
    assert len(fsck(data.server, "--repair")) == len(orphans)
    assert fsck(data.server) == []
    data.execute("DELETE FROM uploads WHERE id = ?", data.cut_id)
    (one,) = fsck(data.server, expect=8)
    assert one["id"] == f"uploads/{data.cut_id}"
    with closing(sqlite3.connect(data.server.data / "facecli.db")) as connection, connection:
        connection.execute("DELETE FROM uploads WHERE id = ?", (data.upload_id,))  # and not its chunks
    for options in ((), ("--repair",)):
        (one,) = fsck(data.server, *options, expect=8)
        assert (one["kind"], one["repairable"]) == ("database", False)
    assert data.half.exists() and data.upload.exists()


def test_beside_a_server_nothing_is_compared_and_a_quick_look_reads_nothing(data: Data) -> None:
    flip(data.upload, 5)
    assert fsck(data.server, "--quick") == []
    data.server.start("--workers", "0")
    refused = run("fsck", "--data-dir", data.server.data, "--json", expect=1).error
    assert refused["reason"] == "DIRECTORY_IN_USE"


def upload(path: Path, server: Server, *, address: str = "") -> tuple[object, ...]:
    to = ("--server", address or server.address, "--user", USER, "--chunk-size", MIB)
    return ("upload", path, *to, "--progress", "json", "--json")
