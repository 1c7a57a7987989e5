"""`facecli file`: list and delete uploaded files."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.cli.shared.command import with_session
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.objects import file_object
from facecli.cli.shared.output import Output
from facecli.cli.shared.session import Session
from facecli.uploads.upload import upload_id_of

if TYPE_CHECKING:
    from facecli.uploads.view import UploadView

app = typer.Typer(rich_markup_mode=None)


@with_session
def list_files(
    session: Session,
    output: Output,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only incomplete uploads.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Maximum number of files.", min=1)] = 100,
) -> None:
    """List your files, newest first.

    To resume an incomplete upload, run the same facecli upload again.

    Example: facecli file list --unfinished

    Exit codes: 0 success, 4 unauthenticated or forbidden, 6 server unreachable.
    """
    uploads = (upload for upload in session.uploads.listed() if not (unfinished and upload.completed))
    for upload in islice(uploads, limit):
        output.show(file_object(upload), text=_line(upload), short=upload.file_url)


@with_session
def delete(
    session: Session,
    output: Output,
    urls: Annotated[list[str], typer.Argument(metavar="URL…", help="File URLs.", show_default=False)],
) -> None:
    """Delete files on the server, complete or not.

    A file that a task still needs cannot be deleted until that task has ended. Results are deleted with their
    tasks: facecli task delete.

    Example: facecli file delete $(facecli file list --unfinished -q)

    Exit codes: 0 success, 1 a task needs the file, 2 invalid URL, 5 file not found, 6 server unreachable.
    """

    def delete_one(url: str) -> None:
        session.uploads.cancel(upload_id_of(url))
        output.show({"file_url": url, "deleted": True}, text=f"{url}  deleted", short=url)

    each(urls, delete_one, as_json=output.as_json)


def _line(upload: "UploadView") -> str:
    size = upload.size or "?"
    state = f"{size} bytes" if upload.completed else f"{upload.stored_bytes} of {size} bytes, incomplete"
    return f"{upload.file_url}  {state}"


add_commands(app, {"list": list_files, "delete": delete})
