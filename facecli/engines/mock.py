"""The mock engine: puts the face picture on every frame, with a delay or a failure on request."""

import time
from collections.abc import Callable, Mapping, Sequence

from facecli.core.video.engine_options import EngineOption
from facecli.core.video.engines import SwapJob
from facecli.core.video.media import Media, OverlayJob
from facecli.engines.mock_options import OPTIONS, MockOptions, PacedProgress
from facecli.engines.mock_path import face_placement


class MockEngine:
    """The face is a square, a third of the short side, that moves smoothly around the middle of the video."""

    name = "mock"
    version = "2"
    needs: Sequence[str] = ("ffmpeg",)
    options: Sequence[EngineOption] = OPTIONS

    def __init__(self, media: Media, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._media = media
        self._sleep = sleep

    def check(self, options: Mapping[str, str]) -> None:
        MockOptions.parse(options)

    def swap(self, job: SwapJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        options = MockOptions.parse(job.options)
        paced = PacedProgress(options, job, progress=progress, stopped=stopped, sleep=self._sleep)
        paced.report(0)
        placement = face_placement(job.info, face=job.face, video=job.video, seed=options.seed)
        picture = job.output.with_name("face.png")
        self._media.fit_picture(job.face, picture, width=placement.width, height=placement.height)
        overlay = OverlayJob(
            video=job.video,
            segment=job.segment,
            info=job.info,
            picture=picture,
            placement=placement,
            output=job.output,
        )
        self._media.overlay(overlay, progress=paced.report, stopped=stopped)
