"""The manifest of a backup: every file with its size and checksum.

Theory of operation. A backup directory holds one complete backup at any moment. A new one writes its files
next to those of the old one, which stay; then `backup.json` is replaced, by one rename, and names the new
manifest with its checksum; then files that only the old one needs are deleted. A kill at any step leaves the
old backup or the new one, whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from facecli.core.checksums import crc32c
from facecli.core.disk import flush
from facecli.core.errors import BytesDiffer, InvalidInput
from facecli.core.os_errors import translate_os_errors

INDEX = "backup.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A file of a backup: its name in the data directory, and where it is in the backup."""

    name: str
    stored_as: str
    size: int
    crc32c: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The files of one backup; `number` counts the backups of a directory."""

    number: int
    created_at: float
    data_dir_id: str
    generation: int
    files: Mapping[str, BackupFile]  # by name


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest of the complete backup in a directory; None for an empty or new directory.

    InvalidInput for a directory that holds something else, BytesDiffer for a damaged backup.
    """
    index = directory / INDEX
    with translate_os_errors(str(index)):
        if not index.exists():
            foreign = next((path.name for path in _entries(directory) if not _is_ours(path)), None)
            if foreign:
                raise InvalidInput(
                    f"{directory} is not a backup: it holds {foreign}; choose an empty directory"
                )
            return None
        entry = _decoded(index, index.read_bytes())
        if entry.get("format") != FORMAT:
            raise InvalidInput(f"{index} is not of this version of facecli")
        manifest = directory / str(entry["manifest"])
        data = manifest.read_bytes() if manifest.is_file() else b""
    if crc32c(data) != entry["crc32c"]:
        raise BytesDiffer(f"{manifest} is damaged; make the backup again in another directory")
    values = _decoded(manifest, data)
    files = [BackupFile(**each) for each in values.pop("files")]
    if outside := next((each for each in files if not _is_inside(each)), None):
        raise BytesDiffer(f"{manifest} names {outside.name!r}, which is outside of a data directory")
    return Manifest(**values, files={each.name: each for each in files})


def commit_manifest(directory: Path, manifest: Manifest) -> None:
    """Make this the complete backup; its files are durable already."""
    values = {**asdict(manifest), "files": [asdict(each) for each in manifest.files.values()]}
    name, data = f"manifest-{manifest.number}.json", json.dumps(values, indent=1).encode()
    write_durably(directory / name, data)
    entry = {"format": FORMAT, "manifest": name, "crc32c": crc32c(data)}
    write_durably(directory / INDEX, json.dumps(entry).encode())


def write_durably(path: Path, data: bytes) -> None:
    """Write a file by a rename, so that it is whole or as it was."""
    partial = path.with_name(f"{path.name}.part")
    with translate_os_errors(str(path)):
        partial.write_bytes(data)
        flush(partial)
        partial.replace(path)
        flush(path.parent)


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.exists() else []


def _is_ours(path: Path) -> bool:
    """Whether a first backup that was interrupted may have left this, or the file system."""
    return (
        path.name in {"files", "backup.lock", "lost+found"}
        or path.name.startswith("manifest-1.json")
        or (path.name.startswith(INDEX))
    )


def _is_inside(file: BackupFile) -> bool:
    """Whether both names are relative and stay below their directories."""
    paths = (PurePosixPath(file.name), PurePosixPath(file.stored_as))
    return not any(path.is_absolute() or ".." in path.parts for path in paths)


def _decoded(path: Path, data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError as error:
        raise BytesDiffer(f"{path} is damaged; make the backup again in another directory") from error
    if not isinstance(values, dict):
        raise BytesDiffer(f"{path} is damaged; make the backup again in another directory")
    return values
