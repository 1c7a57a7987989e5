"""A database that is older than its directory: nothing that only the newer one knows is deleted."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.blobs.generation import FILE, generation
from facecli.bootstrap.maintenance import garbage, inspection
from facecli.bootstrap.server import run_server
from facecli.bootstrap.server_components import server_components
from facecli.config.settings import Settings
from facecli.core.damage import repair_each
from facecli.core.errors import PolicyRefused
from facecli.core.garbage import ORPHAN_AGE
from facecli.maintenance.gc import collect
from facecli.uploads.upload import Upload
from tests.support.storage import CHUNK, Content, send_all

FILE_BEFORE, FILE_AFTER = Content(size=2 * CHUNK, seed=1), Content(size=2 * CHUNK, seed=2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(tmp_path / "data"), workers=0)


def stored(settings: Settings, content: Content) -> Upload:
    """An upload that a server stores before it stops."""
    with server_components(settings) as components:
        return send_all(
            components.upload_service, content, new=replace(content.new, fingerprint=content.seed)
        )


def path_of(settings: Settings, upload: Upload) -> Path:
    return Path(settings.data_dir) / upload.blob_key / "data"


@contextmanager
def older_database(settings: Settings) -> Iterator[None]:
    """Put the database aside before the block, and back as the older one after it."""
    database, copy = Path(settings.data_dir) / "facecli.db", Path(settings.data_dir).parent / "older.db"
    shutil.copy2(database, copy)
    yield
    shutil.copy2(database, copy.with_name("newer.db"))
    shutil.copy2(copy, database)
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)


@pytest.fixture
def newer(settings: Settings) -> Upload:
    """An upload that the database, put back from a copy, does not know."""
    stored(settings, FILE_BEFORE)
    with older_database(settings):
        return stored(settings, FILE_AFTER)


def test_serve_refuses_an_older_database_and_starts_with_the_newer_one(
    settings: Settings, newer: Upload
) -> None:
    for _ in range(2):
        with pytest.raises(PolicyRefused, match=r"the database is older than .* fsck --repair"):
            run_server(settings).__enter__()
    assert path_of(settings, newer).read_bytes() == FILE_AFTER.data
    directory = Path(settings.data_dir)
    shutil.copy2(directory.parent / "newer.db", directory / "facecli.db")
    with run_server(settings), server_components(replace(settings, data_dir=str(directory / "other"))):
        assert path_of(settings, newer).read_bytes() == FILE_AFTER.data


def test_gc_refuses_an_older_database(settings: Settings, newer: Upload) -> None:
    with pytest.raises(PolicyRefused, match="the database is older"), garbage(settings, dry_run=False):
        pass
    assert path_of(settings, newer).read_bytes() == FILE_AFTER.data


def test_a_repair_adopts_an_older_database_and_keeps_unknown_files(settings: Settings, newer: Upload) -> None:
    with inspection(settings, quick=False, on_bytes=lambda size: None) as check:
        found = [damage for damage, _ in repair_each(check.damages(), repair=True)]
    assert [(damage.kind, damage.id) for damage in found] == [
        ("orphan", newer.blob_key),
        ("directory", "generation"),
    ]
    rescued = Path(settings.data_dir) / "lost+found" / newer.blob_key / "data"
    assert rescued.read_bytes() == FILE_AFTER.data
    with run_server(settings):
        pass
    assert rescued.exists()


def test_files_unknown_to_an_older_copy_of_the_same_minute_stay(settings: Settings) -> None:
    """The generation is raised once a minute, and by no server that is killed."""
    stored(settings, FILE_BEFORE)
    directory = Path(settings.data_dir)
    with older_database(settings):
        newer = stored(settings, FILE_AFTER)
    (directory / FILE).write_text("1\n")
    for _ in range(2):
        with run_server(settings):
            assert path_of(settings, newer).read_bytes() == FILE_AFTER.data
    with garbage(settings, dry_run=False) as (items, policy):
        (action,) = [
            action
            for _, action in collect(
                items, policy=policy, dry_run=False, trust_clock=True, trust_database=False
            )
        ]
    assert action == "kept"
    assert path_of(settings, newer).exists()


def test_old_orphans_of_a_crash_are_removed_and_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    upload = stored(settings, FILE_BEFORE)
    dead = Path(settings.data_dir) / "uploads" / "dead"
    dead.mkdir()
    (dead / "data").write_bytes(b"12345")
    for path in (dead / "data", dead):
        os.utime(path, (upload.updated_at - ORPHAN_AGE - 60,) * 2)
    with caplog.at_level("INFO"), run_server(settings):
        assert not dead.exists()
        assert path_of(settings, upload).exists()
    (fields,) = [vars(record) for record in caplog.records if record.message == "garbage removed"]
    assert (fields["kind"], fields["id"], fields["bytes"]) == ("blob", "uploads/dead", 5)
    assert fields["age_seconds"] >= ORPHAN_AGE


def test_the_generation_rises_with_every_start_and_change(settings: Settings) -> None:
    stored(settings, FILE_BEFORE)
    first = generation(Path(settings.data_dir))
    with server_components(settings) as components:
        second = generation(Path(settings.data_dir))
        components.raise_generation()
        assert generation(Path(settings.data_dir)) == second > first
        send_all(components.upload_service, FILE_AFTER)
        components.raise_generation()
        assert generation(Path(settings.data_dir)) > second
