"""A face, a clip, a job, and the real media to process them with."""

import os
from pathlib import Path

import pytest

from facecli.core.video.engines import SwapJob
from facecli.media.ffmpeg import FfmpegMedia


@pytest.fixture(scope="session")
def media() -> FfmpegMedia:
    return FfmpegMedia(wanted=os.environ.get("TEST_FFMPEG"))


@pytest.fixture(scope="session")
def inputs(media: FfmpegMedia, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a face, and a clip of 25 frames and 320 × 180 pixels."""
    folder = tmp_path_factory.mktemp("inputs")
    face, video = folder / "face.png", folder / "clip.mp4"
    media.make_face(face)
    media.make_clip(video, seconds=1, width=320, height=180)
    return face, video


@pytest.fixture
def job(media: FfmpegMedia, inputs: tuple[Path, Path], tmp_path: Path) -> SwapJob:
    face, video = inputs
    (tmp_path / "work").mkdir()
    plan = media.plan(video)
    return SwapJob(
        face=face,
        video=video,
        segment=plan.segments[0],
        output=tmp_path / "work" / "out.mp4",
        info=plan.info,
    )
