"""A file that is not what its name says is refused; a name that says nothing is not."""

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.formats import check_name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("clip.mp4", "MP4"),
        ("clip.MOV", "MP4"),
        ("clip.webm", "Matroska"),
        ("face.jpeg", "JPEG"),
        ("clip", "AVI"),
        ("png", "PNG"),
        ("a.b.c", "PNG"),
    ],
)
def test_a_name_that_fits_or_says_nothing_is_taken(name: str, kind: str) -> None:
    check_name(name, kind)


@pytest.mark.parametrize(
    ("name", "kind", "ending"),
    [("clip.mp4", "Matroska", "mkv"), ("face.jpg", "WEBP", "webp"), ("my.clip.Avi", "MP4", "mp4")],
)
def test_a_name_that_lies_is_refused_with_the_right_ending(name: str, kind: str, ending: str) -> None:
    with pytest.raises(MediaRefused, match=rf"{name} is not what its name says.* \.{ending}$"):
        check_name(name, kind)
