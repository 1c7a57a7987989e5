"""Output templates."""

from pathlib import Path

import pytest

from facecli.client.batch.job import Job
from facecli.client.batch.template import output_path
from facecli.core.errors import InvalidInput


def path(template: str, *, face: str = "f/ann.jpg", video: str = "v/clip.1.mp4", video_dir: str = "") -> str:
    job = Job(number=7, face=Path(face), video=Path(video), output=template, video_dir=video_dir)
    return output_path(job)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("out/{video.stem}-{face.stem}.mp4", "out/clip.1-ann.mp4"),
        ("{number}{video.suffix}/{face.name}", "7.mp4/ann.jpg"),
        ("/abs//{{x}}.mp4", "/abs/{x}.mp4"),
        ("../{video.dir}/x.mp4", "../x.mp4"),
    ],
)
def test_fields_are_replaced(template: str, expected: str) -> None:
    assert path(template) == expected


def test_directories_below_the_named_one_are_kept() -> None:
    assert path("out/{video.dir}/{video.stem}.mp4", video_dir="a/b") == "out/a/b/clip.1.mp4"


@pytest.mark.parametrize(
    ("template", "video", "expected"),
    [
        ("out/{video.stem}/x.mp4", "...mp4", "would be '..', which is no name for a file"),
        ("out/{video.suffix}/x.mp4", "clip", "would be '', which is no name for a file"),
        ("out/{video.name}/x.mp4", "..", "would be '..', which is no name for a file"),
        ("{vidoe.stem}.mp4", "x.mp4", "unknown field {vidoe.stem}; did you mean {video.stem}?"),
        ("{zzz}", "x.mp4", "unknown field {zzz}; the fields are face.stem"),
        ("{video.stem!r}", "x.mp4", "unknown field"),
        ("{video.stem:>99999999}", "x.mp4", "unknown field"),
        ("{video.stem.__class__}", "x.mp4", "unknown field"),
        ("{}", "x.mp4", "unknown field"),
        ("{video.stem", "x.mp4", "write {{ for a brace"),
        ("out/", "x.mp4", "names no file"),
        ("", "x.mp4", "names no file"),
    ],
)
def test_a_wrong_template_or_an_unsafe_name_is_refused(template: str, video: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        path(template, video=video)
    assert expected in refused.value.message


def test_a_directory_cannot_lead_out_of_its_place() -> None:
    with pytest.raises(InvalidInput, match="leads out of its place"):
        path("out/{video.dir}/x.mp4", video_dir="a/../../b")
    with pytest.raises(InvalidInput, match="no name for a file"):
        path("out/x{video.dir}/x.mp4", video_dir="a/b")
