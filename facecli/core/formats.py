"""The table of media formats: what facecli accepts, under which names, and how clients are told.

To allow another format, add it here. ffmpeg's allowlist of demuxers, the picture decoder, the formats that
GetServerInfo lists, the types that `facecli upload` recognises and the texts of refusals all derive from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.errors import MediaRefused


class FormatKind(StrEnum):
    VIDEO = "video"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A media format. Formats of one family have the same structure, and no probe tells them apart."""

    name: str  # for people
    kind: FormatKind
    family: str  # as `VideoInfo.container` or `ImageInfo.format` reports it
    endings: tuple[str, ...]  # of file names, the usual one first
    extension: str  # listed by GetServerInfo
    mime_type: str
    demuxers: tuple[str, ...] = ()  # ffmpeg's names of the one that reads it, as `Input #0` prints them
    pillow: str = ""  # Pillow's name


_MOV_DEMUXER = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2")
_MATROSKA_DEMUXER = ("matroska", "webm")

FORMATS = (
    Format(
        name="MP4",
        kind=FormatKind.VIDEO,
        family="MP4",
        endings=("mp4", "m4v", "3gp", "3g2"),
        extension="mp4",
        mime_type="video/mp4",
        demuxers=_MOV_DEMUXER,
    ),
    Format(
        name="MOV",
        kind=FormatKind.VIDEO,
        family="MP4",
        endings=("mov", "qt"),
        extension="mov",
        mime_type="video/quicktime",
        demuxers=_MOV_DEMUXER,
    ),
    Format(
        name="MKV",
        kind=FormatKind.VIDEO,
        family="Matroska",
        endings=("mkv",),
        extension="mkv",
        mime_type="video/x-matroska",
        demuxers=_MATROSKA_DEMUXER,
    ),
    Format(
        name="WebM",
        kind=FormatKind.VIDEO,
        family="Matroska",
        endings=("webm",),
        extension="webm",
        mime_type="video/webm",
        demuxers=_MATROSKA_DEMUXER,
    ),
    Format(
        name="AVI",
        kind=FormatKind.VIDEO,
        family="AVI",
        endings=("avi",),
        extension="avi",
        mime_type="video/x-msvideo",
        demuxers=("avi",),
    ),
    Format(
        name="MPEG-TS",
        kind=FormatKind.VIDEO,
        family="MPEG-TS",
        endings=("ts", "mts", "m2ts"),
        extension="ts",
        mime_type="video/mp2t",
        demuxers=("mpegts",),
    ),
    Format(
        name="JPEG",
        kind=FormatKind.IMAGE,
        family="JPEG",
        endings=("jpg", "jpeg", "jpe", "jfif"),
        extension="jpeg",
        mime_type="image/jpeg",
        pillow="JPEG",
    ),
    Format(
        name="PNG",
        kind=FormatKind.IMAGE,
        family="PNG",
        endings=("png",),
        extension="png",
        mime_type="image/png",
        pillow="PNG",
    ),
    Format(
        name="WebP",
        kind=FormatKind.IMAGE,
        family="WEBP",
        endings=("webp",),
        extension="webp",
        mime_type="image/webp",
        pillow="WEBP",
    ),
)


def of_kind(kind: FormatKind) -> list[Format]:
    return [entry for entry in FORMATS if entry.kind is kind]


def extensions(kind: FormatKind) -> tuple[str, ...]:
    """Return the extensions that clients are told, in the order of the table."""
    return tuple(entry.extension for entry in of_kind(kind))


def listed(kind: FormatKind) -> str:
    """Return the names of the formats as a text for people, such as `JPEG, PNG or WebP`."""
    *names, last = (entry.name for entry in of_kind(kind))
    return f"{', '.join(names)} or {last}"


def demuxers(formats: Iterable[Format] = FORMATS) -> tuple[str, ...]:
    """Return ffmpeg's names of the demuxers of these formats, each once."""
    return tuple(dict.fromkeys(name for entry in formats for name in entry.demuxers))


def by_family(family: str) -> list[Format]:
    return [entry for entry in FORMATS if entry.family == family]


def by_demuxer(name: str) -> Format | None:
    """Return the first format that a demuxer of this name reads."""
    return next((entry for entry in FORMATS if name in entry.demuxers), None)


def by_file_name(name: str) -> Format | None:
    """Return the format that the ending of a file name stands for."""
    _, dot, ending = name.lower().rpartition(".")
    return next((entry for entry in FORMATS if dot and ending in entry.endings), None)


def check_name(name: str, family: str) -> None:
    """MediaRefused when the ending of the name stands for another family. Unknown endings are accepted."""
    named = by_file_name(name)
    if named and named.family != family:
        ending = by_family(family)[0].endings[0]
        raise MediaRefused(
            f"{name} is not what its name says: it is a {family} file; upload it under a name with .{ending}"
        )
