"""Restores a backup into a new data directory.

The files are copied into a directory beside the new one, each verified by its checksum; one rename then makes
it the data directory. A restore that was interrupted leaves no data directory, and can be run again.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from facecli.core.checksums import BLOCK, crc32c
from facecli.core.disk import flush
from facecli.core.errors import BytesDiffer, InvalidInput
from facecli.core.os_errors import translate_os_errors
from facecli.maintenance.manifest import BackupFile, Manifest, read_manifest


def restore(backup: Path, target: Path, *, identify: Callable[[Path, Manifest], None]) -> Manifest:
    """Restore the backup; return its manifest. `identify` writes the directory's id and generation.

    InvalidInput if there is no backup, or the target holds anything; BytesDiffer for a damaged backup.
    """
    manifest = read_manifest(backup) if backup.is_dir() else None
    if manifest is None:
        raise InvalidInput(f"{backup} holds no complete backup; facecli backup makes one")
    with translate_os_errors(str(target)):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InvalidInput(f"{target} is not empty; pass a new --data-dir, and move it afterwards")
        partial = target.absolute().with_name(f"{target.absolute().name}.restoring")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True, mode=0o700)
    for file in manifest.files.values():
        _copy(backup, file, partial / file.name)
    identify(partial, manifest)
    with translate_os_errors(str(target)):
        if target.exists():
            target.rmdir()
        partial.rename(target)
        flush(target.absolute().parent)
    return manifest


def _copy(backup: Path, file: BackupFile, target: Path) -> None:
    size = checksum = 0
    source = backup / file.stored_as
    if source.is_symlink() or not source.is_file():
        raise BytesDiffer(f"{file.stored_as} is missing in the backup {backup}; nothing was restored")
    with translate_os_errors(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with source.open("rb") as reader, target.open("xb") as writer:
            while block := reader.read(BLOCK):
                writer.write(block)
                size, checksum = size + len(block), crc32c(block, checksum)
        flush(target)
        flush(target.parent)
    if (size, checksum) != (file.size, file.crc32c):
        raise BytesDiffer(f"{file.stored_as} in the backup {backup} is damaged; nothing was restored")
