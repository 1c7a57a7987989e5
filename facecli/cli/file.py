"""`facecli file`: the uploads that a server keeps."""

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

app = typer.Typer(help="List and delete the user's files on the server.", rich_markup_mode=None)


@with_session
def list_files(
    opened: Session,
    output: Output,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only uploads that are not complete.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="At most so many, the newest first.", min=1)
    ] = 100,
) -> None:
    """List the user's files, the newest first.

    One that is not complete goes on when the same facecli upload is run again.

    Example: facecli file list --unfinished

    Exit codes: 0 done, also with none, 4 not let in, 6 no server.
    """
    wanted = (upload for upload in opened.uploads.listed() if not (unfinished and upload.completed))
    for upload in islice(wanted, limit):
        output.show(file_object(upload), text=_line(upload), short=upload.file_url)


@with_session
def delete(
    opened: Session,
    output: Output,
    urls: Annotated[list[str], typer.Argument(metavar="URL…", help="file_urls.", show_default=False)],
) -> None:
    """Delete files on the server, finished or not.

    A file that a task still needs stays until the task has ended. Results are deleted with their tasks:
    facecli task delete.

    Example: facecli file delete $(facecli file list --unfinished -q)

    Exit codes: 0 deleted, 1 a task needs it, 2 not a file_url, 5 no such file, 6 no server.
    """

    def deleted(url: str) -> None:
        opened.uploads.cancel(upload_id_of(url))
        output.show({"file_url": url, "deleted": True}, text=f"{url}  deleted", short=url)

    each(urls, deleted, as_json=output.as_json)


def _line(upload: "UploadView") -> str:
    size = upload.size or "?"
    state = f"{size} bytes" if upload.completed else f"{upload.stored_bytes} of {size} bytes, not complete"
    return f"{upload.file_url}  {state}"


add_commands(app, {"list": list_files, "delete": delete})
