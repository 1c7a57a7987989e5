"""`facecli backup` and `facecli restore`: backup of a data directory."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.objects import backup_object, restore_object
from facecli.cli.shared.options import Database, DataDir
from facecli.cli.shared.output import Output
from facecli.config.paths import data_directory
from facecli.config.settings import Settings


@with_settings
def backup(
    settings: Settings,
    output: Output,
    target: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory of the backup.", show_default=False)
    ],
    data_dir: DataDir = None,
    database: Database = None,
) -> None:
    """Back up a data directory, even while its server runs.

    Copies the databases as of one moment, all complete uploads and results, and the stored chunks of
    incomplete uploads; verifies each by its checksum. The next backup into the same directory copies only
    what is new. An interrupted backup leaves the one before as it was. For PostgreSQL, run pg_dump first and
    copy the data directory, or the bucket, after it. With -q, prints only the directory.

    Example: facecli backup /mnt/backup/facecli --data-dir /srv/facecli

    Exit codes: 0 success, 1 another backup into DIR is running, 2 not a data directory or not a backup
    directory, 8 stored files are damaged, 9 disk full, 10 the database is not that of the data directory.
    """
    from facecli.bootstrap.backup import back_up

    summary = back_up(settings, target)
    copied = f"{summary.copied_bytes / 1e6:.1f} MB copied"
    text = f"{target}  {summary.files} files, {summary.bytes / 1e6:.1f} MB, {copied}"
    output.show(backup_object(target, summary), text=text, short=str(target))


@with_settings
def restore(
    settings: Settings,
    output: Output,
    source: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory of the backup.", show_default=False)
    ],
    data_dir: DataDir = None,
) -> None:
    """Restore a backup into a new data directory.

    The data directory must not exist, or be empty. Every file is verified; an interrupted or damaged restore
    leaves no data directory. Uploads and tasks are as of the backup. With -q, prints only the data directory.

    Example: facecli restore /mnt/backup/facecli --data-dir /srv/facecli

    Exit codes: 0 success, 2 no complete backup, or the data directory is not empty, 8 the backup is damaged,
    9 disk full.
    """
    from facecli.bootstrap.backup import restore_backup

    manifest = restore_backup(settings, source)
    directory = data_directory(settings)
    size = sum(file.size for file in manifest.files.values())
    text = f"{directory}  {len(manifest.files)} files, {size / 1e6:.1f} MB"
    output.show(restore_object(directory, manifest), text=text, short=str(directory))
