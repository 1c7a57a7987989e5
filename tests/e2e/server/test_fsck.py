"""`facecli fsck` on a data directory that was damaged by hand: it reports the damage and repairs it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.e2e import stored_files
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, make_file, sha256
from tests.support.e2e.fsck import fsck
from tests.support.e2e.process import CommandProcess, invoke
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import upload_command
from tests.support.eventually import eventually

USER = "ann"
SIZE = 6  # MiB, in chunks of one
HELD_AFTER = 3.5  # MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A stopped server with a complete upload, an incomplete one and a completed task."""

    server: Server
    complete: Path  # the local file
    incomplete: Path  # the local file
    complete_id: str
    incomplete_id: str
    task_id: str

    @property
    def complete_data(self) -> Path:
        return stored_files.data_file(self.server, self.complete_id)

    @property
    def incomplete_data(self) -> Path:
        return stored_files.data_file(self.server, self.incomplete_id)

    @property
    def result(self) -> Path:
        (file,) = self.server.results()
        return file

    def execute(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.server.data / "facecli.db")) as connection, connection:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, face: Path, clip: Path) -> Iterator[Data]:
    """A data directory, made once and copied for every test."""
    folder = tmp_path_factory.mktemp("fsck")
    complete, incomplete = (make_file(folder / name, mib=SIZE) for name in ("complete.mp4", "cut.mp4"))
    with Server(folder / "data") as server:
        result = invoke(*upload_command(complete, server.address, USER)).object
        with (
            holding_proxy(server.address, after=int(HELD_AFTER * MIB)) as proxy,
            CommandProcess(*upload_command(incomplete, proxy.address, USER)) as sending,
        ):
            sending.wait_until_stored(3 * MIB)
            sending.kill()
        create = ("task", "create", "--image", face, "--video", clip, "--watch", "-q")
        task = invoke(*create, "--server", server.address, "--user", USER).out.split()[0]
        server.wait_for_log("StreamUpload")
        incomplete_id = stored_files.upload(server, USER, "cut.mp4").upload_id
        eventually(lambda: not server.work_files())  # the worker removes them after the row says "completed"
        server.terminate()
        assert fsck(server) == []
        yield Data(
            server=server,
            complete=complete,
            incomplete=incomplete,
            complete_id=result["upload_id"],
            incomplete_id=incomplete_id,
            task_id=task,
        )


@pytest.fixture
def data(made: Data, tmp_path: Path) -> Iterator[Data]:
    shutil.copytree(made.server.data, tmp_path / "data")
    with ExitStack() as stack:
        server = Server(tmp_path / "data")
        stack.push(server.__exit__)
        yield replace(made, server=server)


def flip_bit(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        byte = os.pread(file.fileno(), 1, at)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1]), at)


def make_orphan(data: Data, name: str) -> None:
    path = data.server.data / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"orphan")


Damage = Callable[[Data], object]
DAMAGED_COMPLETE: dict[str, tuple[Damage, str, int]] = {
    "flipped bit": (lambda data: flip_bit(data.complete_data, 2 * MIB), "chunk 2 lost", 1),
    "truncated": (lambda data: os.truncate(data.complete_data, 4 * MIB + 1), "chunks 4-5 lost", 2),
    "too long": (lambda data: os.truncate(data.complete_data, SIZE * MIB + 1), "instead of", 0),
    "missing file": (lambda data: data.complete_data.unlink(), "its file is missing", SIZE),
    "missing row of a chunk": (
        lambda data: data.execute('DELETE FROM chunks WHERE upload_id = ? AND "index" = 3', data.complete_id),
        "chunk 3 lost",
        1,
    ),
    "wrong checksum": (
        lambda data: data.execute("UPDATE uploads SET crc32c = 1 WHERE id = ?", data.complete_id),
        "its checksum is not that of its chunks",
        0,
    ),
}


@pytest.mark.parametrize(("damage", "problem", "resent"), DAMAGED_COMPLETE.values(), ids=DAMAGED_COMPLETE)
def test_only_the_lost_chunks_of_a_damaged_upload_are_sent_again(
    data: Data, damage: Damage, problem: str, resent: int
) -> None:
    damage(data)
    (finding,) = fsck(data.server, expect=8)
    assert (finding["kind"], finding["id"], finding["repaired"]) == ("upload", data.complete_id, False)
    assert problem in finding["problem"]
    (repaired,) = fsck(data.server, "--repair")
    assert repaired == {**finding, "repaired": True}
    assert fsck(data.server) == []
    data.server.start("--workers", "0")
    again = invoke(*upload_command(data.complete, data.server.address, USER)).object
    assert (again["upload_id"], again["bytes_sent"]) == (data.complete_id, resent * MIB)
    assert data.server.sha256(again["file_url"], USER) == sha256(data.complete)
    data.server.terminate()
    assert fsck(data.server) == []


DAMAGED_INCOMPLETE: dict[str, tuple[Damage, str, int]] = {
    "flipped bit": (lambda data: flip_bit(data.incomplete_data, MIB), "chunk 1 lost", 1),
    "missing file": (lambda data: data.incomplete_data.unlink(), "its file is missing", 3),
    "wrong counts": (
        lambda data: data.execute(
            "UPDATE uploads SET stored_chunks = 1, stored_bytes = 5 WHERE id = ?", data.incomplete_id
        ),
        "its row miscounts 5 bytes in 1 chunks",
        0,
    ),
}


@pytest.mark.parametrize(("damage", "problem", "lost"), DAMAGED_INCOMPLETE.values(), ids=DAMAGED_INCOMPLETE)
def test_a_damaged_incomplete_upload_resumes_from_its_intact_chunks(
    data: Data, damage: Damage, problem: str, lost: int
) -> None:
    damage(data)
    (finding,) = fsck(data.server, expect=8)
    assert (finding["id"], problem in finding["problem"]) == (data.incomplete_id, True)
    fsck(data.server, "--repair")
    assert fsck(data.server) == []
    data.server.start("--workers", "0")
    again = invoke(*upload_command(data.incomplete, data.server.address, USER)).object
    assert (again["upload_id"], again["bytes_skipped"]) == (data.incomplete_id, (3 - lost) * MIB)
    assert data.server.sha256(again["file_url"], USER) == sha256(data.incomplete)


@pytest.mark.parametrize("damage", [lambda path: flip_bit(path, 99), os.unlink], ids=["flipped", "deleted"])
def test_a_retry_recreates_a_lost_result(data: Data, damage: Callable[[Path], object]) -> None:
    before = sha256(data.result)
    damage(data.result)
    (finding,) = fsck(data.server, expect=8)
    assert (finding["kind"], finding["id"]) == ("task", data.task_id)
    fsck(data.server, "--repair")
    assert fsck(data.server) == []
    data.server.start()
    to = ("--server", data.server.address, "--user", USER, "--json")
    assert invoke("task", "status", data.task_id, *to).object["error"]["reason"] == "RESULT_LOST"
    invoke("task", "retry", data.task_id, *to)
    invoke("task", "watch", data.task_id, *to)
    assert sha256(data.result) == before


def test_a_repair_removes_orphans_and_leaves_a_damaged_database_alone(data: Data) -> None:
    orphans = ["outputs/dead/run", "uploads/dead", "work/dead"]
    for orphan in orphans:
        make_orphan(data, f"{orphan}/data")
    findings = fsck(data.server, expect=8)
    assert sorted((finding["kind"], finding["id"]) for finding in findings) == [
        ("orphan", name) for name in orphans
    ]
    assert len(fsck(data.server, "--repair")) == len(orphans)
    assert fsck(data.server) == []
    data.execute("DELETE FROM uploads WHERE id = ?", data.incomplete_id)
    (one,) = fsck(data.server, expect=8)
    assert one["id"] == f"uploads/{data.incomplete_id}"
    with closing(sqlite3.connect(data.server.data / "facecli.db")) as connection, connection:
        # Without foreign keys the rows of its chunks stay.
        connection.execute("DELETE FROM uploads WHERE id = ?", (data.complete_id,))
    for options in ((), ("--repair",)):
        (one,) = fsck(data.server, *options, expect=8)
        assert (one["kind"], one["repairable"]) == ("database", False)
    assert data.incomplete_data.exists() and data.complete_data.exists()


def test_fsck_refuses_to_run_beside_a_server_and_a_quick_check_reads_no_bytes(data: Data) -> None:
    flip_bit(data.complete_data, 5)
    assert fsck(data.server, "--quick") == []
    data.server.start("--workers", "0")
    refused = invoke("fsck", "--data-dir", data.server.data, "--json", expect=1).error
    assert refused["reason"] == "DIRECTORY_IN_USE"
