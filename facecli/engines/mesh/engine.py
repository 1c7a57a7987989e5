"""The mesh engine: no generative model, it moves the pixels of one photo.

This process decodes nothing and sees no pixel as a pixel: pictures and frames go from one sandboxed process
to another. So it also needs no OpenCV.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from facecli.core.errors import FacecliError, NothingSwapped
from facecli.core.video.engine_options import EngineOption
from facecli.core.video.engines import PrepareJob, SwapJob
from facecli.core.video.figures import SwapFigures
from facecli.core.video.frames import FrameFilter, FrameLayout, Picture
from facecli.core.video.media import FramesJob, Media
from facecli.engines.mesh.options import OPTIONS, MeshOptions, Missing, Small
from facecli.engines.mesh.process.client import SwapProcess, launch_of, swap_process
from facecli.engines.mesh.process.setup import Setup, Work
from facecli.engines.mesh.process.spare import Inputs, Spares
from facecli.engines.weights import shipped_weights

MAX_PICTURE_SIDE = 2048  # pixels; a face needs 300
NO_FRAMES = FrameLayout(width=2, height=2)
SAMPLES = 32  # frames, at most, in which the people of a video are looked for
SAMPLE_INTERVAL = 2.5  # seconds between them, at least
LEAST_SAMPLES = 8


class MeshEngine:
    name = "mesh"
    version = "5"
    needs: Sequence[str] = ("ffmpeg", "opencv-python-headless 4.14")
    options: Sequence[EngineOption] = OPTIONS
    _spares: Spares | None = None

    def __init__(self, media: Media) -> None:
        if find_spec("cv2") is None or find_spec("numpy") is None:
            raise FacecliError("OpenCV is missing; install it with: pip install 'opencv-python-headless<5'")
        self._media = media
        self._spares = Spares(media)

    def check(self, options: Mapping[str, str]) -> None:
        MeshOptions.parse(options)

    def prepare(self, job: PrepareJob, *, stopped: Callable[[], bool]) -> Mapping[str, Any]:
        """Find the face of the picture, the people of the video, and the one that `faces=like:` asks for."""
        options = MeshOptions.parse(job.options)
        like = self._describe(job.files["faces"], stopped=stopped) if "faces" in job.files else []
        layout = self._media.frame_layout(job.info)
        inputs = self._inputs(job.face, job.video, layout, stopped=stopped)
        picture = inputs.picture
        setup = Setup(
            work=Work.PLAN,
            layout=layout,
            picture=(picture.width, picture.height),
            options=job.options,
            rate=float(job.info.rate),
        )
        count = min(SAMPLES, max(LEAST_SAMPLES, round(job.info.duration / SAMPLE_INTERVAL)))
        samples = self._media.sample_frames(job.video, job.info, count=count, stopped=stopped)
        with closing(samples):
            first = next(samples, None)  # while the process starts
            with self._process(setup, picture, stopped=stopped, inputs=inputs, more=True) as process:
                for planes in chain([first] if first else [], samples):
                    deque(process.push(planes, own=False), maxlen=0)
                deque(process.finish(), maxlen=0)
        people = _listed(process.result, "people")
        if not people and options.faces != "all" and options.missing is Missing.FAIL:
            smaller = "; small=on finds smaller ones" if options.small is Small.OFF else ""
            raise NothingSwapped(f"the video shows no face{smaller}; missing=keep returns it as it is")
        return {"people": people, "like": like}

    def weights(self) -> Mapping[str, str]:
        return shipped_weights()

    def _inputs(self, face: Path, video: Path, layout: FrameLayout, *, stopped: Callable[[], bool]) -> Inputs:
        """Read the face picture, unless a process that has worked on it waits for more."""
        if self._spares and (kept := self._spares.inputs(face, video)):
            return kept
        return Inputs.of(face, video, partial(self._read_picture, layout=layout, stopped=stopped))

    def _read_picture(self, face: Path, *, layout: FrameLayout, stopped: Callable[[], bool]) -> Picture:
        """Read a face picture, while the process that will get it starts."""
        self._start_spare(layout)
        return self._media.read_picture(face, max_side=MAX_PICTURE_SIDE, stopped=stopped)

    def _start_spare(self, layout: FrameLayout) -> None:
        if self._spares:
            self._spares.prepare(launch_of(self.name, layout))

    def _process(
        self,
        setup: Setup,
        picture: Picture,
        *,
        stopped: Callable[[], bool],
        inputs: Inputs | None = None,
        more: bool = False,
    ) -> AbstractContextManager[SwapProcess]:
        return swap_process(
            self._media, setup, picture, stopped=stopped, spares=self._spares, inputs=inputs, more=more
        )

    def check_face(self, face: Path, *, stopped: Callable[[], bool]) -> None:
        self._describe(face, stopped=stopped)

    def _describe(self, face: Path, *, stopped: Callable[[], bool]) -> list[Any]:
        """The embedding of the largest face of a picture; NoFace if there is none."""
        picture = self._read_picture(face, layout=NO_FRAMES, stopped=stopped)
        setup = Setup(work=Work.DESCRIBE, layout=NO_FRAMES, picture=(picture.width, picture.height))
        with self._process(setup, picture, stopped=stopped) as process:
            deque(process.finish(), maxlen=0)
        return _listed(process.result, "embedding")

    def swap(
        self, job: SwapJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> SwapFigures:
        """Swap the faces of the chosen people among those that `prepare` found."""
        self.check(job.options)
        layout = self._media.frame_layout(job.info)
        inputs = self._inputs(job.face, job.video, layout, stopped=stopped)
        picture = inputs.picture
        more = job.segment.before + job.segment.frames < job.info.frames
        result: dict[str, Any] = {}

        @contextmanager
        def open_filter(layout: FrameLayout) -> Iterator[FrameFilter]:
            setup = Setup(
                work=Work.SWAP,
                layout=layout,
                picture=(picture.width, picture.height),
                options=job.options,
                people=job.plan.get("people", ()),
                like=job.plan.get("like", ()),
                first=(job.segment.wide or job.segment).before,
                rate=float(job.info.rate),
            )
            with self._process(setup, picture, stopped=stopped, inputs=inputs, more=more) as process:
                yield process
                result.update(process.result)

        frames = FramesJob(
            video=job.video, segment=job.segment, info=job.info, output=job.output, stills=job.stills
        )
        self._media.rewrite_frames(frames, open_filter=open_filter, progress=progress, stopped=stopped)
        return _counted(job, result)

    def judge(self, figures: SwapFigures, options: Mapping[str, str]) -> None:
        if not figures.swapped and MeshOptions.parse(options).missing is Missing.FAIL:
            raise NothingSwapped(f"nothing to put the face on: {figures.text}; missing=keep accepts that")


def _listed(result: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a process, which may have sent anything."""
    value = result.get(name)
    return value if isinstance(value, list) else []


def _counted(job: SwapJob, result: Mapping[str, Any]) -> SwapFigures:
    """Return the figures of a process, which may have sent anything, as frames of this segment."""

    def frames(name: str) -> int:
        value = result.get(name)
        return value if isinstance(value, int) and 0 <= value <= job.segment.frames else 0

    return SwapFigures(
        swapped=frames("swapped"),
        without_face=frames("without"),
        turned_away=frames("turned"),
        people=len(job.plan.get("people", ())),
    )
