"""The table of media formats that facecli accepts.

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
    """A media format. Formats of one family share their structure, and a probe cannot distinguish them."""

    name: str  # for people
    kind: FormatKind
    family: str  # as `VideoInfo.container` or `ImageInfo.format` reports it
    extensions: tuple[str, ...]  # of file names, the usual one first
    api_name: str  # in GetServerInfo
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
        extensions=("mp4", "m4v", "3gp", "3g2"),
        api_name="mp4",
        mime_type="video/mp4",
        demuxers=_MOV_DEMUXER,
    ),
    Format(
        name="MOV",
        kind=FormatKind.VIDEO,
        family="MP4",
        extensions=("mov", "qt"),
        api_name="mov",
        mime_type="video/quicktime",
        demuxers=_MOV_DEMUXER,
    ),
    Format(
        name="MKV",
        kind=FormatKind.VIDEO,
        family="Matroska",
        extensions=("mkv",),
        api_name="mkv",
        mime_type="video/x-matroska",
        demuxers=_MATROSKA_DEMUXER,
    ),
    Format(
        name="WebM",
        kind=FormatKind.VIDEO,
        family="Matroska",
        extensions=("webm",),
        api_name="webm",
        mime_type="video/webm",
        demuxers=_MATROSKA_DEMUXER,
    ),
    Format(
        name="AVI",
        kind=FormatKind.VIDEO,
        family="AVI",
        extensions=("avi",),
        api_name="avi",
        mime_type="video/x-msvideo",
        demuxers=("avi",),
    ),
    Format(
        name="MPEG-TS",
        kind=FormatKind.VIDEO,
        family="MPEG-TS",
        extensions=("ts", "mts", "m2ts"),
        api_name="ts",
        mime_type="video/mp2t",
        demuxers=("mpegts",),
    ),
    Format(
        name="JPEG",
        kind=FormatKind.IMAGE,
        family="JPEG",
        extensions=("jpg", "jpeg", "jpe", "jfif"),
        api_name="jpeg",
        mime_type="image/jpeg",
        pillow="JPEG",
    ),
    Format(
        name="PNG",
        kind=FormatKind.IMAGE,
        family="PNG",
        extensions=("png",),
        api_name="png",
        mime_type="image/png",
        pillow="PNG",
    ),
    Format(
        name="WebP",
        kind=FormatKind.IMAGE,
        family="WEBP",
        extensions=("webp",),
        api_name="webp",
        mime_type="image/webp",
        pillow="WEBP",
    ),
)


def of_kind(kind: FormatKind) -> list[Format]:
    return [entry for entry in FORMATS if entry.kind is kind]


def api_names(kind: FormatKind) -> tuple[str, ...]:
    """Return the names for GetServerInfo, in the order of the table."""
    return tuple(entry.api_name for entry in of_kind(kind))


def readable_list(kind: FormatKind) -> str:
    """Return the names of the formats for people, such as `JPEG, PNG or WebP`."""
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
    """Return the format that the extension of a file name stands for."""
    _, dot, extension = name.lower().rpartition(".")
    return next((entry for entry in FORMATS if dot and extension in entry.extensions), None)


def check_name(name: str, family: str) -> None:
    """MediaRefused if the extension of the name stands for another family. Unknown ones are accepted."""
    named = by_file_name(name)
    if named and named.family != family:
        extension = by_family(family)[0].extensions[0]
        raise MediaRefused(
            f"{name} has the wrong extension: it is in {family} format; "
            f"upload it under a name that ends in .{extension}"
        )
