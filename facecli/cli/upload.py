"""`facecli upload`: files to the server."""

import mimetypes
import shutil
import sys
import tempfile
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import Bars, bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.objects import upload_object
from facecli.cli.shared.options import ChunkSize, LimitRate, ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.client.transfers import FileToSend, SentUpload, UploadOutcome
from facecli.core.errors import FacecliError, InvalidInput
from facecli.core.formats import by_file_name
from facecli.uploads.upload import FileType

STDIN = Path("-")
SPOOL_BLOCK = 1024 * 1024  # bytes


@with_session
def upload(
    opened: Session,
    output: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", help="Files to upload; - is standard input.", show_default=False),
    ],
    file_type: Annotated[
        FileType | None,
        typer.Option(
            "--type", help="What the files are; told by their names if not given.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option("--name", metavar="NAME", help="Name to show instead of the file's own; for one file."),
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with what the server has, or begin anew.")
    ] = True,
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    limit_rate: LimitRate = None,
    progress: ProgressKind = None,
) -> None:
    """Upload files and print their file_urls.

    What the server stored before is compared by checksum and not sent again, also after a crash of either
    side or from another machine. The bar shows what is stored, not what was sent.

    Example: facecli upload face.jpg clip.mp4

    Example: facecli upload - --name clip.mp4 < clip.mp4

    Exit codes: 0 done, 2 unreadable, 4 not let in, 6 no server, 7 incomplete, run it again, 8 bytes differ, 9
    too large.
    """
    if name and len(paths) > 1:
        raise InvalidInput(f"--name is for one file, and there are {len(paths)}; upload them one by one")
    if STDIN in paths and not name:
        raise InvalidInput("standard input has no name; say --name, as in --name clip.mp4")
    with bars(opened.settings.progress, quiet=output.quiet) as drawn, ExitStack() as ends:

        def show(sent: UploadOutcome) -> None:
            upload = sent.get()
            output.show(upload_object(upload), text=upload.file_url, short=upload.file_url)

        files, refused = list[FileToSend](), list[UploadOutcome]()
        for path in paths:
            try:
                files.append(
                    _file(path if path != STDIN else _spooled(ends), name or path.name, file_type, drawn)
                )
            except FacecliError as error:
                refused.append(UploadOutcome(error=error))
        sent = opened.uploads.send(
            files,
            chunk_size=opened.settings.chunk_size,
            resume=resume,
            retry_for=opened.settings.retry_for,
            limit_rate=opened.settings.limit_rate,
        )
        each(chain(refused, sent), show, as_json=output.as_json)


def send(opened: Session, path: Path, kind: FileType, drawn: Bars) -> SentUpload:
    """Upload one file with a bar."""
    return opened.uploads.send_one(
        _file(path, path.name, kind, drawn),
        chunk_size=opened.settings.chunk_size,
        retry_for=opened.settings.retry_for,
    )


def kind_of(name: str) -> FileType:
    """What the name tells."""
    known = by_file_name(name)
    kind = (mimetypes.guess_type(name)[0] or (known.mime_type if known else "")).partition("/")[0]
    if kind not in {"image", "video"}:
        raise InvalidInput(f"{name} may be an image or a video; say --type")
    return FileType(kind)


def _file(path: Path, name: str, kind: FileType | None, drawn: Bars) -> FileToSend:
    if not name.isprintable():
        raise InvalidInput(f"{name!a} has bytes that cannot be shown; say --name, or rename it")
    return FileToSend(path=path, name=name, file_type=kind or kind_of(name), progress=drawn.transfer())


def _spooled(ends: ExitStack) -> Path:
    """Standard input in a temporary file: its length is not known, and after a break it is read again."""
    try:
        file = ends.enter_context(tempfile.NamedTemporaryFile(prefix="facecli-"))  # noqa: SIM115
        shutil.copyfileobj(sys.stdin.buffer, file, SPOOL_BLOCK)
        file.flush()
    except OSError as error:
        where = tempfile.gettempdir()
        raise InvalidInput(
            f"standard input cannot be kept in {where} until it is sent: {error.strerror}; "
            "make room there, or set TMPDIR"
        ) from error
    return Path(file.name)
