"""Jobs of a command line: faces and videos by files, directories and patterns, combined."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, product
from pathlib import Path

from facecli.client.batch.job import MAX_JOBS, Job, JobDefaults
from facecli.client.input_file import named_path
from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped
from facecli.core.video.formats import FormatKind, by_file_name
from facecli.uploads.upload import FileType

MAX_FILES = 10_000  # of one kind
_OPTIONS = {FileType.IMAGE: "face", FileType.VIDEO: "video"}


class Combine(StrEnum):
    """`product` puts every face on every video, `pairs` the first on the first, and so on."""

    PRODUCT = "product"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A file, and its directory below the one that was named."""

    path: Path
    directory: str = ""


def selected_jobs(
    faces: Sequence[str], videos: Sequence[str], *, combine: Combine, recursive: bool, defaults: JobDefaults
) -> list[Job]:
    """The jobs of the files that the arguments name, videos first; InvalidInput if there are none."""
    found_faces = select(faces, FileType.IMAGE, recursive=recursive)
    found_videos = select(videos, FileType.VIDEO, recursive=recursive)
    if combine is Combine.PAIRS and len(found_faces) != len(found_videos):
        raise InvalidInput(
            f"--combine pairs needs as many faces as videos, not {len(found_faces)} and {len(found_videos)}"
        )
    count = len(found_videos) * (1 if combine is Combine.PAIRS else len(found_faces))
    if count > MAX_JOBS:
        raise InvalidInput(f"these are {count} jobs; a batch has at most {MAX_JOBS}")
    pairs = (
        zip(found_videos, found_faces, strict=True)
        if combine is Combine.PAIRS
        else product(found_videos, found_faces)
    )
    return [
        Job(
            number=number,
            face=face.path,
            video=video.path,
            output=defaults.output,
            engine=defaults.engine,
            options=defaults.options,
            part=defaults.part,
            terms=defaults.terms,
            notify=defaults.notify,
            priority=defaults.priority,
            face_dir=face.directory,
            video_dir=video.directory,
        )
        for number, (video, face) in enumerate(pairs, 1)
    ]


def select(arguments: Iterable[str], file_type: FileType, *, recursive: bool) -> list[Selected]:
    """The files that the arguments name; InvalidInput for an argument that names none.

    A directory stands for its files whose names are of this type, sorted, a pattern for its matches.
    """
    found = dict[Path, Selected]()
    for argument in arguments:
        named = list(islice(_named(argument, file_type, recursive), MAX_FILES + 1))
        if not named:
            noun = "pictures" if file_type is FileType.IMAGE else "videos"
            deeper = "" if recursive else "; --recursive looks into its directories, too"
            raise InvalidInput(f"there are no {noun} in {escaped(argument)}{deeper}")
        for selected in named:
            found.setdefault(Path(os.path.normpath(selected.path)), selected)
        if len(found) > MAX_FILES:
            raise InvalidInput(f"{escaped(argument)} makes more than {MAX_FILES} files; name fewer")
    return list(found.values())


def _named(argument: str, file_type: FileType, recursive: bool) -> Iterator[Selected]:
    path = named_path(argument, placeholder=f"--{_OPTIONS[file_type]}")
    if os.path.isdir(path):  # noqa: PTH112  (false for a name that no file can have)
        yield from _in_directory(path, file_type, recursive)
    elif not os.path.lexists(path) and glob.has_magic(argument):
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207
            matched = Path(match)
            if matched.is_dir():
                yield from _in_directory(matched, file_type, recursive)
            else:
                yield Selected(path=matched)
    else:
        yield Selected(path=path)  # also one that does not exist, which its job will say


def _in_directory(root: Path, file_type: FileType, recursive: bool) -> Iterator[Selected]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        directory = Path(folder).relative_to(root).as_posix()
        for name in sorted(names):
            named = None if name.startswith(".") else by_file_name(name)
            if named and named.kind is FormatKind(file_type.value):
                yield Selected(path=Path(folder, name), directory="" if directory == "." else directory)
