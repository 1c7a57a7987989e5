"""The inputs of a task on the command line: local files or URLs of uploads, and a part of the video."""

from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.progress.bar import Bars
from facecli.cli.shared.options import time
from facecli.client.input_file import check_order, task_input
from facecli.client.transfers import FileToSend
from facecli.library.session import Session
from facecli.uploads.upload import FileType

Input = FileToSend | str
From = Annotated[
    float | None,
    typer.Option("--from", metavar="TIME", parser=time, help="Beginning of the part of the video to swap."),
]
To = Annotated[
    float | None,
    typer.Option("--to", metavar="TIME", parser=time, help="End of the part of the video to swap."),
]


def checked_inputs(image: str, video: str, bars: Bars) -> tuple[Input, Input]:
    """The files, which a task can use as far as their first bytes tell, or URLs; InvalidInput otherwise."""
    if not (_is_url(image) or _is_url(video)):
        check_order(Path(image), Path(video))
    return _input(image, FileType.IMAGE, bars), _input(video, FileType.VIDEO, bars)


def uploaded(session: Session, value: Input) -> str:
    """The URL of an input, once it is uploaded."""
    if isinstance(value, str):
        return value
    settings = session.settings
    sent = session.uploads.send_one(value, chunk_size=settings.chunk_size, retry_for=settings.retry_for)
    return sent.file_url


def _input(value: str, file_type: FileType, bars: Bars) -> Input:
    return value if _is_url(value) else task_input(Path(value), file_type, bars.transfer())


def _is_url(value: str) -> bool:
    return value.startswith("/uploads/") and not Path(value).exists()
