"""`facecli file`: list, download and delete uploaded files."""

from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from facecli.cli.progress.bars import progress_bars
from facecli.cli.shared.command import with_session
from facecli.cli.shared.completion import complete_files
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.listing import All, Limit, given, limited, show_header
from facecli.cli.shared.objects import file_object
from facecli.cli.shared.options import ProgressKind, RetryFor
from facecli.cli.shared.output import Output
from facecli.cli.shared.output_file import (
    Force,
    Out,
    SkipExisting,
    already_exists,
    check_options,
    show_path,
)
from facecli.client.destination import destination, local_name
from facecli.library.session import Session
from facecli.uploads.upload import upload_id_of

if TYPE_CHECKING:
    from facecli.uploads.view import UploadView

app = typer.Typer(rich_markup_mode=None)


@partial(with_session, quiet_help="Print only URLs.")
def list_files(
    session: Session,
    output: Output,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only incomplete uploads.")] = False,
    limit: Limit = None,
    everything: All = False,
) -> None:
    """List your files, newest first.

    To resume an incomplete upload, run the same facecli upload again.

    Example: facecli file list --unfinished

    Exit codes: 0 success, 4 unauthenticated or forbidden, 6 server unreachable.
    """
    uploads = (upload for upload in session.uploads.listed() if not (unfinished and upload.completed))
    show_header(output, "URL  SIZE")
    for upload in limited(uploads, output, limit=limit, everything=everything, noun="files"):
        output.show(file_object(upload), text=_line(upload), short=upload.file_url)


@partial(with_session, quiet_help="Print only the path.")
def download(
    session: Session,
    output: Output,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="File URL.", show_default=False, autocompletion=complete_files),
    ],
    out: Out = None,
    force: Force = False,
    skip_existing: SkipExisting = False,
    retry_for: RetryFor = None,
    progress: ProgressKind = None,
) -> None:
    """Download and verify a file.

    Data is written to OUT.part, which is renamed to OUT once it is complete and verified. Run the command
    again to resume. An equal file is left as it is; another one is replaced only with --force.

    Example: facecli file download /uploads/6f2c…/clip.mp4 -o clip.mp4

    Exit codes: 0 success, 2 invalid URL or OUT cannot be written, 4 unauthenticated or forbidden, 5 file not
    found, 6 server unreachable, 8 integrity check failed.
    """
    upload_id = upload_id_of(url)
    name = local_name(unquote(url.rsplit("/", 1)[-1]), otherwise=upload_id)
    target = destination("." if out is None else out, name=name, overwrite=force)
    check_options(target, output, force=force, skip_existing=skip_existing)
    size: int | None = None
    if skip_existing and target.exists:
        output.note(f"{target.shown} exists; skipped")
    elif target.exists and not force:
        promise = session.files.describe(url)
        size = promise.size
        if not target.holds(size=size, crc32c=promise.crc32c):
            raise already_exists(target)
        output.note(f"{target.shown} is the file already")
    else:
        with progress_bars(session.settings.progress, quiet=output.quiet) as bars:
            size = session.files.download_to(
                url, target, retry_for=session.settings.retry_for, progress=bars.transfer()
            )
    show_path(output, target, {"file_url": url, "size": size})


@partial(with_session, quiet_help="Print only URLs.")
def delete(
    session: Session,
    output: Output,
    urls: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="URL…",
            help="File URLs; - reads them from standard input.",
            show_default=False,
            autocompletion=complete_files,
        ),
    ] = None,
) -> None:
    """Delete files on the server, complete or not.

    A file that a task still needs cannot be deleted until that task has ended. Results are deleted with their
    tasks: facecli task delete. Deleting none is a success.

    Example: facecli file delete $(facecli file list --unfinished --all -q)

    Exit codes: 0 success, 1 a task needs the file, 2 invalid URL, 5 file not found, 6 server unreachable.
    """

    def delete_one(url: str) -> None:
        session.uploads.cancel(upload_id_of(url))
        output.show({"file_url": url, "deleted": True}, text=f"{url}  deleted", short=url)

    each(given(urls), delete_one, as_json=output.as_json)


def _line(upload: "UploadView") -> str:
    size = upload.size or "?"
    state = f"{size} bytes" if upload.completed else f"{upload.stored_bytes} of {size} bytes, incomplete"
    return f"{upload.file_url}  {state}"


add_commands(app, {"list": list_files, "download": download, "delete": delete})
