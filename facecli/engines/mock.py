"""The engine that pretends: the face picture on every frame, as slow and as broken as it is told to be."""

import time
from collections.abc import Callable, Mapping, Sequence

from facecli.core.engines import Swap
from facecli.core.media import Media
from facecli.engines.mock_options import MockOptions, PacedProgress
from facecli.engines.mock_path import face_placement


class MockEngine:
    """The face is a square, a third of the short side, that swings about the middle of the video.

    Options: `delay`, seconds of slowness spread over the work; `fail_at`, where to fail, from 0 to 1;
    `seed`, a number that gives another path.
    """

    name = "mock"
    version = "2"
    needs: Sequence[str] = ("ffmpeg",)

    def __init__(self, media: Media, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._media = media
        self._sleep = sleep

    def check(self, options: Mapping[str, str]) -> None:
        MockOptions.of(options)

    def swap(self, swap: Swap, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        mood = MockOptions.of(swap.options)
        paced = PacedProgress(mood, swap.segment, swap.info.frames, progress, stopped, self._sleep)
        paced.reach(0)
        placement = face_placement(swap.info, face=swap.face, video=swap.video, seed=mood.seed)
        picture = swap.output.with_name("face.png")
        self._media.fit_picture(swap.face, picture, width=placement.width, height=placement.height)
        self._media.overlay(
            video=swap.video,
            segment=swap.segment,
            picture=picture,
            placement=placement,
            output=swap.output,
            info=swap.info,
            progress=paced.reach,
            stopped=stopped,
        )
