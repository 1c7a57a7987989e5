"""The media fake that ships for plug-ins keeps the promises of `Media` that engines rely on."""

from fractions import Fraction
from pathlib import Path

import pytest

from facecli.plugins import Box, Cancelled, Media, MediaRefused, OverlayJob, Placement
from facecli.testing import FakeMedia


@pytest.fixture
def media() -> FakeMedia:
    return FakeMedia(segment_frames=10)


@pytest.fixture
def video(media: FakeMedia, tmp_path: Path) -> Path:
    media.make_clip(tmp_path / "clip.mp4", seconds=1, width=320, height=180)
    return tmp_path / "clip.mp4"


def overlay_job(media: Media, video: Path) -> OverlayJob:
    picture, plan = video.with_name("face.png"), media.plan(video)
    media.make_face(picture)
    return OverlayJob(
        video=video,
        segment=plan.segments[-1],
        info=plan.info,
        picture=picture,
        placement=Placement.fixed(Box(x=0, y=0, width=20, height=20)),
        output=video.with_name("out.mp4"),
    )


def test_every_frame_is_in_one_segment(media: FakeMedia, video: Path) -> None:
    plan = media.plan(video)
    assert plan.info == media.probe_video(video)
    assert [(part.before, part.frames) for part in plan.segments] == [(0, 10), (10, 10), (20, 5)]
    assert plan.segments[-1].end == Fraction(1)


def test_an_overlay_has_the_frames_of_its_segment(media: FakeMedia, video: Path) -> None:
    job, reported = overlay_job(media, video), list[int]()
    media.overlay(job, progress=reported.append, stopped=lambda: False)
    assert media.count_frames(job.output) == reported[-1] == 5
    assert media.overlays == [job]


def test_a_cancelled_overlay_leaves_no_output(media: FakeMedia, video: Path) -> None:
    job = overlay_job(media, video)
    with pytest.raises(Cancelled):
        media.overlay(job, progress=lambda frames: None, stopped=lambda: True)
    assert not job.output.exists()


def test_an_empty_file_is_refused(media: FakeMedia, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(MediaRefused):
        media.probe_video(tmp_path / "empty")
    with pytest.raises(MediaRefused):
        media.probe_image(tmp_path / "empty")
