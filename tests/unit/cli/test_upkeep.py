"""`facecli gc` and `facecli fsck`: their output, and the conditions under which they refuse to run."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.cli import facecli, run_server
from tests.unit.cli.conftest import Samples

COMMANDS = ["gc", "fsck"]


@pytest.fixture(scope="session")
def stopped_data(tmp_path_factory: pytest.TempPathFactory, samples: Samples) -> Path:
    """Data directory of a stopped server, with one upload."""
    folder = tmp_path_factory.mktemp("upkeep")
    with run_server(folder / "data") as server:
        assert facecli("upload", samples.face, "--server", server.address).code == 0
    return folder / "data"


@pytest.fixture
def data(stopped_data: Path, tmp_path: Path) -> Path:
    return shutil.copytree(stopped_data, tmp_path / "data")


def flip(data: Path) -> str:
    """Damage the upload; its ID."""
    (file,) = (data / "uploads").rglob("data")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return file.parent.name


def stray(data: Path, *, days: int = 7) -> str:
    """Leave a file, so many days old, that no upload refers to; its key."""
    folder = data / "uploads" / "dead"
    folder.mkdir()
    (folder / "data").write_bytes(b"x" * 200_000)
    for path in (folder / "data", folder):
        os.utime(path, (time.time() - days * 86400,) * 2)
    return "uploads/dead"


def test_gc_lists_deletes_and_sums_up(data: Path) -> None:
    key, here = stray(data), ("--data-dir", data)
    dry = facecli("gc", "--dry-run", *here)
    assert dry.lines == [f"to remove  blob {key}  0.2 MB  7.0 d old  no upload refers to it"]
    assert dry.err == f"1 to remove, 0.2 MB in {data}\n"
    gone = facecli("gc", *here, "--json")
    removed = gone.object
    assert removed.pop("age_seconds") // 86400 == 7
    assert removed == {
        "kind": "blob",
        "id": key,
        "action": "removed",
        "bytes": 200_000,
        "reason": "no upload refers to it",
    }
    assert gone.err == ""
    assert facecli("gc", *here).err == f"0 removed, 0.0 MB in {data}\n"
    stray(data)
    assert facecli("gc", *here, "-q").out == f"{key}\n"


def test_gc_keeps_young_files_that_the_database_does_not_know(data: Path) -> None:
    key, here = stray(data, days=1), ("--data-dir", data)
    kept = facecli("gc", *here)
    assert kept.lines == [f"kept       blob {key}  0.2 MB  1.0 d old  no upload refers to it"]
    assert "1 kept: unknown to the database and young; --trust-database deletes" in kept.err
    assert facecli("gc", *here, "--trust-database", "-q").out == f"{key}\n"


def test_gc_keeps_data_expired_by_the_clock_alone(data: Path) -> None:
    with closing(sqlite3.connect(data / "facecli.db")) as connection, connection:
        connection.execute("UPDATE uploads SET status = 'incomplete', expires_at = 0")
        ((upload_id,),) = connection.execute("SELECT id FROM uploads")
    kept = facecli("gc", "--data-dir", data)
    assert kept.out.startswith(f"kept       upload {upload_id}  ")
    assert "expired on 1970-01-01 00:00 UTC" in kept.out
    assert "1 kept" in kept.err
    assert "--trust-clock" in kept.err
    assert facecli("gc", "--data-dir", data, "-q").out == ""
    assert facecli("gc", "--data-dir", data, "--trust-clock", "-q").out == f"{upload_id}\n"
    assert facecli("fsck", "--data-dir", data, "-q").code == 0


def test_fsck_reports_and_repairs_damage(data: Path) -> None:
    upload_id, key, here = flip(data), stray(data), ("--data-dir", data, "--progress", "none")
    damaged = facecli("fsck", *here)
    assert damaged.lines == [
        f"upload {upload_id}  face.png: chunk 0 lost; "
        "--repair: facecli upload of the same file sends only chunk 0 again",
        f"orphan {key}  no upload refers to it, 200000 bytes; --repair: it is moved to lost+found",
    ]
    assert (damaged.code, damaged.err) == (8, "facecli: damaged: 2; facecli fsck --repair repairs 2\n")
    assert facecli("fsck", *here, "-q").lines == [upload_id, key]
    as_json = facecli("fsck", *here, "--json")
    assert (as_json.code, as_json.error["reason"]) == (8, "BYTES_DIFFER")
    assert set(as_json.objects[0]) == {"kind", "id", "problem", "remedy", "repairable", "repaired"}
    repaired = facecli("fsck", *here, "--repair")
    assert (repaired.code, repaired.err) == (0, f"repaired: 2 in {data}\n")
    assert all("repaired: " in line for line in repaired.lines)
    clean = facecli("fsck", *here)
    assert (clean.code, clean.out, clean.err) == (0, "", f"no damage found in {data}\n")


def test_fsck_reports_progress(data: Path) -> None:
    ran = facecli("fsck", "--data-dir", data, "--progress", "json")
    assert ran.err.splitlines()[-2] == '{"event": "verified", "name": "checked"}'
    (file,) = (data / "uploads").rglob("data")
    assert f'"stored": {file.stat().st_size}, "total": {file.stat().st_size}' in ran.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_foreign_directory_is_left_unchanged(command: str, tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path):
        ran = facecli(command, "--data-dir", path, "--json")
        assert (ran.code, "is not the data directory of a server" in ran.error["message"]) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_old_or_foreign_database_is_reported(command: str, data: Path) -> None:
    database = data / "facecli.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM directories")
    ran = facecli(command, "--data-dir", data, "--json")
    assert (ran.code, "does not know" in ran.error["message"]) == (10, True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    ran = facecli(command, "--data-dir", data, "--json")
    assert (ran.code, "the database has schema 0001" in ran.error["message"]) == (2, True)
    for file in data.glob("facecli.db*"):
        file.unlink()
    ran = facecli(command, "--data-dir", data, "--json")
    assert (ran.code, f"{database} is missing" in ran.error["message"]) == (2, True)
    assert not database.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_maintenance_is_refused_while_a_server_runs(command: str, tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server:
        ran = facecli(command, "--data-dir", server.data, "--json")
        assert (ran.code, ran.error["reason"]) == (1, "DIRECTORY_IN_USE")
        assert facecli("gc", "--dry-run", "--data-dir", server.data).code == 0
