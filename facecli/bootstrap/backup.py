"""Assembles backup and restore of a data directory."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facecli.blobs.backup_mark import record_backup
from facecli.blobs.generation import generation, older, record_generation
from facecli.blobs.identity import check_identity, identity, record_identity
from facecli.blobs.lock import locked
from facecli.blobs.privacy import private_files
from facecli.bootstrap.blob_store import open_blob_store
from facecli.config.paths import data_directory
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.maintenance.backup import Backup, BackupSummary
from facecli.maintenance.manifest import Manifest, read_manifest
from facecli.maintenance.restore import restore
from facecli.metadata import schema
from facecli.metadata.database import open_database
from facecli.metadata.directories import SqlDirectoryRepository
from facecli.metadata.sqlite_copy import copy_database
from facecli.metadata.tasks import SqlTaskRepository
from facecli.metadata.uploads import SqlUploadRepository

DATABASES = ("facecli.db", "queue.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copies:
    """Copies of the databases, and the rows in them."""

    uploads: SqlUploadRepository
    tasks: SqlTaskRepository
    generation: int
    files: dict[str, Path]


def back_up(settings: Settings, target: Path) -> BackupSummary:
    """Back up the data directory into `target`, also while a server runs.

    InvalidInput for PostgreSQL, for a bucket, or for a directory without a server's data; PolicyRefused for a
    database that is not that of the directory.
    """
    if settings.blobs:
        dump = "run pg_dump" if settings.database else f"copy {DATABASES[0]} with sqlite3 .backup"
        raise InvalidInput(
            f"facecli backup copies a data directory, and the files are in {settings.blobs}; {dump} first, "
            "and copy the bucket after it, as with aws s3 sync or rclone sync, or turn on its versioning"
        )
    if settings.database:
        raise InvalidInput(
            "facecli backup copies an SQLite database; for PostgreSQL run pg_dump first, and copy the "
            "data directory after it"
        )
    directory = data_directory(settings)
    data_dir_id = identity(directory)
    resolved, inside = target.resolve(), directory.resolve()
    if resolved == inside or inside in resolved.parents:
        raise InvalidInput(f"{target} is in the data directory; choose another disk for the backup")
    if target.exists() and not target.is_dir():
        raise InvalidInput(f"{target} exists and is not a directory; choose a directory for the backup")
    before = read_manifest(target)
    if before and before.data_dir_id != data_dir_id:
        raise InvalidInput(f"{target} is the backup of another data directory; choose an empty directory")
    with private_files(), locked(target / "backup.lock", taken=f"another backup into {target} is running"):
        backup = Backup(
            target,
            blobs=open_blob_store(settings, directory),
            snapshot=lambda folder: _snapshot(directory, data_dir_id, folder),
            clock=time.time,
        )
        began = time.time()
        summary = backup.run(data_dir_id)
        record_backup(directory, began)
        return summary


def restore_backup(settings: Settings, backup: Path) -> Manifest:
    """Restore a backup into the data directory of the settings, which must be new or empty."""
    with private_files():
        return restore(backup, data_directory(settings), identify=_identify)


def _identify(directory: Path, manifest: Manifest) -> None:
    record_identity(directory, manifest.data_dir_id)
    record_generation(directory, manifest.generation)


@contextmanager
def _snapshot(directory: Path, data_dir_id: str, folder: Path) -> Iterator[_Copies]:
    newest = generation(directory)  # before the copy: a running server raises it
    files = {name: folder / f"{name}.copy" for name in DATABASES if (directory / name).exists()}
    if DATABASES[0] not in files:
        raise InvalidInput(f"{directory / DATABASES[0]} is missing; there is nothing to back up")
    for name, copy in files.items():
        copy_database(directory / name, copy)
    rows = folder / "rows.copy"  # read while its twin gets its final name
    copy_database(files[DATABASES[0]], rows)
    engine = open_database(f"sqlite:///{rows.resolve()}")
    try:
        schema.check(engine)
        directories = SqlDirectoryRepository(engine)
        check_identity(directory, known=directories.known)
        known = directories.generation(data_dir_id)
        if newest > known:
            raise PolicyRefused(older(directory, known=known, newest=newest))
        yield _Copies(
            uploads=SqlUploadRepository(engine),
            tasks=SqlTaskRepository(engine),
            generation=known,
            files=files,
        )
    finally:
        engine.dispose()
        for path in folder.glob("rows.copy*"):
            path.unlink()
