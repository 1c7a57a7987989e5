"""Backup of a data directory, also while its server runs.

Theory of operation. A snapshot of the database comes first, then the bytes to which its rows refer, each
verified by the checksum in its row while it is copied. Bytes of complete uploads and results never change, so
they are copied once and kept for the next backups. Of an incomplete upload only the acknowledged chunks are
copied, each time. If bytes have changed or gone since the snapshot, because a server runs, the backup starts
again from a new snapshot, and keeps what it has copied.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facecli.core import checksums
from facecli.core.blobs import BlobStore, Part
from facecli.core.disk import flush
from facecli.core.errors import BytesDiffer, StorageFailed
from facecli.core.os_errors import translate_os_errors
from facecli.maintenance.manifest import BackupFile, Manifest, commit_manifest, read_manifest
from facecli.maintenance.rows import all_rows
from facecli.tasks.repository import TaskRepository
from facecli.uploads.repository import UploadRepository
from facecli.uploads.upload import Upload

FILES = "files"  # folder of the copied files
SNAPSHOTS = 5  # attempts, each from a new snapshot
BLOCK = 1024 * 1024  # bytes in memory at once


class Snapshot(Protocol):
    """The rows of one moment. `files` are the copied databases by name in the data directory."""

    @property
    def uploads(self) -> UploadRepository: ...

    @property
    def tasks(self) -> TaskRepository: ...

    @property
    def generation(self) -> int: ...

    @property
    def files(self) -> dict[str, Path]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSummary:
    """A finished backup: all of its files and bytes, and the bytes that were copied this time."""

    files: int
    bytes: int
    copied_bytes: int
    created_at: float


class Backup:
    """Makes backups in one directory; the caller holds its lock.

    `snapshot` copies the databases into a directory.
    """

    def __init__(
        self,
        directory: Path,
        *,
        blobs: BlobStore,
        snapshot: Callable[[Path], AbstractContextManager[Snapshot]],
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._blobs = blobs
        self._snapshot = snapshot
        self._clock = clock
        self._copied: dict[str, BackupFile] = {}  # complete blobs, of this backup and the one before
        self._copied_bytes = 0

    def run(self, data_dir_id: str) -> BackupSummary:
        """Make a backup. InvalidInput for a directory of something else or of another data directory.

        BytesDiffer when stored bytes are damaged.
        """
        before = read_manifest(self._directory)
        if before:
            self._copied = {
                name: file
                for name, file in before.files.items()
                if file.stored_as == f"{FILES}/{name}" and (self._directory / file.stored_as).is_file()
            }
        number = before.number + 1 if before else 1
        manifest = self._consistent(number, data_dir_id)
        commit_manifest(self._directory, manifest)
        self._delete_unused(manifest)
        return BackupSummary(
            files=len(manifest.files),
            bytes=sum(file.size for file in manifest.files.values()),
            copied_bytes=self._copied_bytes,
            created_at=manifest.created_at,
        )

    def _consistent(self, number: int, data_dir_id: str) -> Manifest:
        """Copy files until all bytes agree with one snapshot of the rows."""
        for attempt in range(1, SNAPSHOTS + 1):
            try:
                return self._files_of_snapshot(number, data_dir_id)
            except (BytesDiffer, FileNotFoundError) as error:
                if attempt == SNAPSHOTS:
                    raise BytesDiffer(
                        f"the backup was not made: {error}; check the data directory with facecli fsck"
                    ) from error
        raise AssertionError

    def _files_of_snapshot(self, number: int, data_dir_id: str) -> Manifest:
        folder = self._directory / FILES
        with translate_os_errors(str(folder)):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        created_at = self._clock()
        with self._snapshot(folder) as snapshot:
            files = [self._database(name, path, number) for name, path in sorted(snapshot.files.items())]
            for upload in all_rows(snapshot.uploads):
                if upload.completed and upload.size is not None and upload.crc32c is not None:
                    files.append(self._complete(upload.blob_key, upload.size, upload.crc32c))
                elif upload.stored_chunks:
                    files.append(self._incomplete(upload, snapshot.uploads, number))
            for task in all_rows(snapshot.tasks):
                files += [self._complete(each.blob_key, each.size, each.crc32c) for each in task.files]
            return Manifest(
                number=number,
                created_at=created_at,
                data_dir_id=data_dir_id,
                generation=snapshot.generation,
                files={file.name: file for file in files},
            )

    def _database(self, name: str, path: Path, number: int) -> BackupFile:
        """Give the snapshot of a database its place."""
        with translate_os_errors(str(path)):
            target = path.with_name(f"{name}.{number}")
            path.replace(target)
            flush(target)
            flush(target.parent)
            with target.open("rb") as file:
                checksum = checksums.crc32c_of(file)
            size = target.stat().st_size
        self._copied_bytes += size
        return BackupFile(name=name, stored_as=f"{FILES}/{target.name}", size=size, crc32c=checksum)

    def _complete(self, key: str, size: int, crc32c: int) -> BackupFile:
        name = f"{key}/data"
        copied = self._copied.get(name)
        if copied and (copied.size, copied.crc32c) == (size, crc32c):
            return copied
        file = BackupFile(name=name, stored_as=f"{FILES}/{name}", size=size, crc32c=crc32c)
        blocks = ((None, block) for block in self._blobs.open(key, offset=0, block=BLOCK))
        if self._write(file.stored_as, blocks) != (size, crc32c):
            raise BytesDiffer(f"the bytes of {key} are not those that its row describes")
        self._copied[name] = file
        return file

    def _incomplete(self, upload: Upload, rows: UploadRepository, number: int) -> BackupFile:
        """Copy the stored chunks to where they are in the staged file."""
        stored_as = f"{FILES}/{upload.blob_key}/staged.{number}"

        def blocks() -> Iterator[tuple[int | None, bytes]]:
            for chunk in rows.chunks(upload.id):
                checksum, position = 0, int(chunk.token)
                part = Part(token=chunk.token, size=chunk.size)
                for block in self._blobs.read_part(upload.blob_key, part, block=BLOCK):
                    checksum = checksums.crc32c(block, checksum)
                    yield position, block
                    position += len(block)
                if checksum != chunk.crc32c or position != int(chunk.token) + chunk.size:
                    raise BytesDiffer(f"chunk {chunk.index} of {upload.name} has changed")

        self._write(stored_as, blocks())
        with (self._directory / stored_as).open("rb") as file:
            checksum = checksums.crc32c_of(file)
        size = (self._directory / stored_as).stat().st_size
        return BackupFile(name=f"{upload.blob_key}/data", stored_as=stored_as, size=size, crc32c=checksum)

    def _write(self, stored_as: str, blocks: Iterator[tuple[int | None, bytes]]) -> tuple[int, int]:
        """Write a file durably, each block at its position or after the one before; size and checksum."""
        path = self._directory / stored_as
        partial = path.with_name(f"{path.name}.part")
        size = checksum = 0
        with translate_os_errors(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with partial.open("wb") as file:
                for position, block in _found(blocks):
                    if position is not None:
                        file.seek(position)
                    file.write(block)
                    size, checksum = size + len(block), checksums.crc32c(block, checksum)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            for folder in (path.parent, path.parent.parent):
                flush(folder)
        self._copied_bytes += size
        return size, checksum

    def _delete_unused(self, manifest: Manifest) -> None:
        """Delete files of earlier and interrupted backups."""
        used = {self._directory / file.stored_as for file in manifest.files.values()}
        for path in (self._directory / FILES).rglob("*"):
            if path.is_file() and path not in used:
                path.unlink()
        for path in self._directory.glob("manifest-*"):
            if path.name != f"manifest-{manifest.number}.json":
                path.unlink()
        for folder in sorted((self._directory / FILES).rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _found(blocks: Iterator[tuple[int | None, bytes]]) -> Iterator[tuple[int | None, bytes]]:
    """The blocks; BytesDiffer for a blob that is gone or unreadable."""
    try:
        yield from blocks
    except (FileNotFoundError, StorageFailed) as error:
        raise BytesDiffer(str(error)) from error
