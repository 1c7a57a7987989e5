"""The mesh engine: no generative model, it moves the pixels of one photo.

This process decodes nothing and sees no pixel as a pixel: pictures and frames go from one sandboxed process
to another. So it also needs no OpenCV.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

from facecli.core.errors import FacecliError
from facecli.core.video.engine_options import EngineOption
from facecli.core.video.engines import PrepareJob, SwapJob
from facecli.core.video.frames import FrameFilter, FrameLayout, Picture
from facecli.core.video.media import FramesJob, Media
from facecli.engines.mesh.figures import Figures
from facecli.engines.mesh.options import OPTIONS, MeshOptions
from facecli.engines.mesh.process.client import SwapProcess, swap_process
from facecli.engines.mesh.process.setup import Setup, Work

MAX_PICTURE_SIDE = 2048  # pixels; a face needs 300
SAMPLES = 32  # frames in which the people of a video are looked for

_log = logging.getLogger(__name__)


class MeshEngine:
    name = "mesh"
    version = "1"
    needs: Sequence[str] = ("ffmpeg", "opencv-python-headless 4.14")
    options: Sequence[EngineOption] = OPTIONS

    def __init__(self, media: Media) -> None:
        if find_spec("cv2") is None:
            raise FacecliError("OpenCV is missing; install it with: pip install 'facecli[swap]'")
        self._media = media

    def check(self, options: Mapping[str, str]) -> None:
        MeshOptions.parse(options)

    def prepare(self, job: PrepareJob, *, stopped: Callable[[], bool]) -> Mapping[str, Any]:
        """Find the face of the picture, and the people of the video."""
        self.check(job.options)
        picture = self._media.read_picture(job.face, max_side=MAX_PICTURE_SIDE, stopped=stopped)
        setup = Setup(
            work=Work.PLAN,
            layout=self._media.frame_layout(job.info),
            picture=(picture.width, picture.height),
            options=job.options,
            people=(),
            first=0,
            rate=float(job.info.rate),
        )
        samples = self._media.sample_frames(job.video, job.info, count=SAMPLES, stopped=stopped)
        with self._process(setup, picture, stopped=stopped) as process, closing(samples):
            for planes in samples:
                deque(process.push(planes, own=False), maxlen=0)
            deque(process.finish(), maxlen=0)
        return {"people": process.result.get("people", [])}

    def _process(
        self, setup: Setup, picture: Picture, *, stopped: Callable[[], bool]
    ) -> AbstractContextManager[SwapProcess]:
        return swap_process(self._media, setup, picture, stopped=stopped)

    def swap(self, job: SwapJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        """Swap the faces of the chosen people among those that `prepare` found."""
        self.check(job.options)
        picture = self._media.read_picture(job.face, max_side=MAX_PICTURE_SIDE, stopped=stopped)
        figures: dict[str, Any] = {}

        @contextmanager
        def open_filter(layout: FrameLayout) -> Iterator[FrameFilter]:
            setup = Setup(
                work=Work.SWAP,
                layout=layout,
                picture=(picture.width, picture.height),
                options=job.options,
                people=job.plan.get("people", ()),
                first=(job.segment.wide or job.segment).before,
                rate=float(job.info.rate),
            )
            with self._process(setup, picture, stopped=stopped) as process:
                yield process
                figures.update(process.result)

        frames = FramesJob(video=job.video, segment=job.segment, info=job.info, output=job.output)
        self._media.rewrite_frames(frames, open_filter=open_filter, progress=progress, stopped=stopped)
        _log.info("segment swapped", extra={"segment": job.segment.index, **_counted(figures)})


def _counted(figures: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of a process, which may have sent anything, as numbers of frames."""
    values = {field.name: figures.get(field.name) for field in fields(Figures)}
    return {f"frames_{name}": value for name, value in values.items() if isinstance(value, int)}
