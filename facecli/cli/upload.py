"""`facecli upload`: upload files to the server."""

import shutil
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.interrupts import interruptible
from facecli.cli.shared.objects import upload_object
from facecli.cli.shared.options import ChunkSize, LimitRate, ProgressKind, RetryFor
from facecli.cli.shared.ordered import OrderedResults
from facecli.cli.shared.output import Output
from facecli.client.input_file import file_to_send
from facecli.client.transfers import FileToSend, UploadOutcome
from facecli.core.errors import FacecliError, InvalidInput
from facecli.library.session import Session
from facecli.uploads.upload import FileType

STDIN = Path("-")
SPOOL_BLOCK = 1024 * 1024  # bytes


@partial(with_session, quiet_help="Print only URLs.")
def upload(
    session: Session,
    output: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", help="Files to upload; - for standard input.", show_default=False),
    ],
    file_type: Annotated[
        FileType | None,
        typer.Option(
            "--type", help="File type; by default that of the first bytes or the name.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option("--name", metavar="NAME", help="Name of the uploaded file; for a single file."),
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Resume an earlier upload, or start over.")
    ] = True,
    chunk_size: ChunkSize = None,
    retry_for: RetryFor = None,
    limit_rate: LimitRate = None,
    progress: ProgressKind = None,
) -> None:
    """Upload files and print their URLs.

    An interrupted upload resumes, even after a crash or from another machine: chunks that the server has
    stored are verified by checksum and not sent again. The progress bar shows stored bytes, not sent bytes.

    Example: facecli upload face.jpg clip.mp4

    Example: facecli upload - --name clip.mp4 < clip.mp4

    Exit codes: 0 success, 2 unreadable file, 4 unauthenticated or forbidden, 6 server unreachable, 7
    incomplete (run it again), 8 integrity check failed, 9 limit or quota reached.
    """
    if name and len(paths) > 1:
        raise InvalidInput(f"--name needs a single file, not {len(paths)}; upload them one by one")
    if STDIN in paths and not name:
        raise InvalidInput("standard input has no name; pass one, for example --name clip.mp4")
    again = "run the same command again" if resume else "run the same command without --no-resume"
    results = OrderedResults(output, len(paths))
    with (
        interruptible(hint=f"{again} to resume"),
        progress_bars(session.settings.progress, quiet=output.quiet) as bars,
        ExitStack() as stack,
        results.to_the_end(),
    ):
        files, rejected = dict[int, FileToSend](), list[UploadOutcome]()
        bar_of = [bars.transfer(name or path.name, _size(path)) for path in paths]
        for index, path in enumerate(paths):
            try:
                local = path if path != STDIN else _spooled(stack)
                files[index] = file_to_send(local, bar_of[index], name=name, file_type=file_type)
            except FacecliError as error:
                bar_of[index].failed()
                results.skip(index)
                rejected.append(UploadOutcome(error=error))
        index_of = {id(file): index for index, file in files.items()}

        def show(sent: UploadOutcome) -> None:
            index = index_of.get(id(sent.file))
            if index is not None and sent.error:
                bar_of[index].failed()
                results.skip(index)
            upload = sent.get()
            assert index is not None
            results.show(index, upload_object(upload), text=upload.file_url, short=upload.file_url)

        sent = session.uploads.send(
            files.values(),
            chunk_size=session.settings.chunk_size,
            resume=resume,
            retry_for=session.settings.retry_for,
            limit_rate=session.settings.limit_rate,
        )
        each(chain(rejected, sent), show, as_json=output.as_json)


def _size(path: Path) -> int | None:
    """The size of a file for its bar; None if it cannot be read, which is reported in its turn."""
    try:
        return path.stat().st_size if path != STDIN else None
    except (OSError, ValueError):
        return None


def _spooled(stack: ExitStack) -> Path:
    """Copy standard input to a temporary file, because its size is unknown and a retry reads it again."""
    try:
        file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="facecli-"))  # noqa: SIM115
        shutil.copyfileobj(sys.stdin.buffer, file, SPOOL_BLOCK)
        file.flush()
        empty = not file.tell()
    except OSError as error:
        where = tempfile.gettempdir()
        raise InvalidInput(
            f"cannot buffer standard input in {where}: {error.strerror}; free some space there, or set TMPDIR"
        ) from error
    if empty:
        raise InvalidInput("standard input is empty")
    return Path(file.name)
