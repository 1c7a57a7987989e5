"""The check of a local file before a byte of it is sent."""

import os
import stat
from pathlib import Path

from facecli.client.transfers import FileToSend
from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped
from facecli.core.progress import NullProgress, TransferProgress
from facecli.core.video.formats import FormatKind, by_file_name, check_name, readable_list
from facecli.core.video.signatures import HEAD_SIZE, Signature, signature
from facecli.uploads.names import checked_name
from facecli.uploads.upload import FileType

_NOUNS = {FormatKind.IMAGE: "a picture", FormatKind.VIDEO: "a video", None: "neither a picture nor a video"}


def named_path(argument: str, *, placeholder: str) -> Path:
    """The path of an argument; InvalidInput if it is empty, which Python takes for the current directory."""
    if not argument:
        raise InvalidInput(f"the path for {placeholder} is empty; name a file")
    return Path(argument)


def file_to_send(
    path: Path, progress: TransferProgress, *, name: str = "", file_type: FileType | None = None
) -> FileToSend:
    """A readable file whose name and first bytes fit the type; the type is found out unless it is given.

    InvalidInput names the file and what is wrong with it.
    """
    name = checked_name(name or path.name)
    found = signature(_head(path))
    return FileToSend(
        path=path, name=name, file_type=_file_type(path, name, found, file_type), progress=progress
    )


def task_input(path: Path, file_type: FileType, progress: TransferProgress) -> FileToSend:
    """As `file_to_send`; InvalidInput also if a task could not use the file, as far as its start tells."""
    file = file_to_send(path, progress, file_type=file_type)
    found = signature(_head(path))
    if found and not found.supported:
        formats = readable_list(FormatKind(file_type.value))
        raise InvalidInput(f"{_shown(path)} is in {found.family} format; convert it to {formats}")
    return file


def check_inputs(image: Path, video: Path) -> None:
    """Raise InvalidInput if a task could not use one of the files, or their order is wrong."""
    check_order(image, video)
    task_input(image, FileType.IMAGE, NullProgress())
    task_input(video, FileType.VIDEO, NullProgress())


def check_order(image: Path, video: Path) -> None:
    """Raise InvalidInput if the video was named first and the picture second."""
    kinds = [found.kind if (found := signature(_head(path))) else None for path in (image, video)]
    if kinds == [FormatKind.VIDEO, FormatKind.IMAGE]:
        raise InvalidInput(
            f"{_shown(image)} is a video and {_shown(video)} a picture; name the picture first"
        )


def _head(path: Path) -> bytes:
    """The first bytes of a regular file that is not empty."""
    shown = _shown(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO without writer
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                raise InvalidInput(f"{shown} is a directory; pass the files in it, such as {shown}/*.mp4")
            if not stat.S_ISREG(mode):
                raise InvalidInput(
                    f"{shown} is not a regular file; facecli upload - --name NAME reads standard input"
                )
            head = os.pread(descriptor, HEAD_SIZE, 0)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InvalidInput(f"cannot read {shown}: {error.strerror}") from error
    if not head:
        raise InvalidInput(f"{shown} is empty")
    return head


def _file_type(path: Path, name: str, found: Signature | None, wanted: FileType | None) -> FileType:
    shown = _shown(path)
    if found is None:
        named = by_file_name(name)
        if wanted is None and named is None:
            raise InvalidInput(f"cannot tell whether {shown} is an image or a video; pass --type")
        return wanted or FileType(named.kind.value if named else "")
    if found.kind is None or (wanted and wanted.value != found.kind.value):
        expected = f", not {_NOUNS[FormatKind(wanted.value)]}" if wanted and found.kind else ""
        raise InvalidInput(f"{shown} is {_NOUNS[found.kind]}{expected}: it is in {found.family} format")
    if found.supported:
        check_name(name, found.family)
    return FileType(found.kind.value)


def _shown(path: Path) -> str:
    return escaped(str(path))
