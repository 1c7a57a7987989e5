"""The table of formats: the lists derived from it, and the check of file names."""

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.formats import (
    FormatKind,
    api_names,
    by_file_name,
    check_name,
    demuxers,
    readable_list,
)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("clip.mp4", "MP4"),
        ("clip.MOV", "MP4"),
        ("clip.webm", "Matroska"),
        ("face.jpeg", "JPEG"),
        ("clip", "AVI"),
        ("png", "PNG"),
        ("png", "JPEG"),
        ("a.b.c", "PNG"),
    ],
)
def test_a_matching_extension_and_an_unknown_one_are_accepted(name: str, family: str) -> None:
    check_name(name, family)


@pytest.mark.parametrize(
    ("name", "family", "extension"),
    [("clip.mp4", "Matroska", "mkv"), ("face.jpg", "WEBP", "webp"), ("my.clip.Avi", "MP4", "mp4")],
)
def test_a_wrong_extension_is_refused_with_the_right_one(name: str, family: str, extension: str) -> None:
    with pytest.raises(MediaRefused, match=rf"{name} has the wrong extension.* \.{extension}$"):
        check_name(name, family)


def test_api_names_are_in_this_order() -> None:
    assert api_names(FormatKind.VIDEO) == ("mp4", "mov", "mkv", "webm", "avi", "ts")
    assert api_names(FormatKind.IMAGE) == ("jpeg", "png", "webp")


def test_the_readable_list_is_in_this_order() -> None:
    assert readable_list(FormatKind.VIDEO) == "MP4, MOV, MKV, WebM, AVI or MPEG-TS"
    assert readable_list(FormatKind.IMAGE) == "JPEG, PNG or WebP"


def test_every_demuxer_is_allowed_once() -> None:
    assert ",".join(demuxers()) == "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.MKV", "video/x-matroska"),
        ("a.b.webm", "video/webm"),
        ("a.ts", "video/mp2t"),
        ("a.jfif", "image/jpeg"),
    ],
)
def test_a_file_name_yields_a_mime_type(name: str, mime_type: str) -> None:
    known = by_file_name(name)
    assert known and known.mime_type == mime_type
