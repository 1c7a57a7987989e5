"""SegmentSwapper: swaps the faces in the frames of one segment, from bytes to bytes.

Theory of operation: frames come in order, some before the segment, so that smoothing and colours have settled
when it begins, and some after it, for faces that fade out. Only the segment's own frames come back. Faces are
found in one thread and drawn in another, each in the order of the frames. So the result is a function of the
frames and the plan alone, without a clock or a random number.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.arrays import Points
from facecli.engines.mesh.fading import Fader, VisibleFace
from facecli.engines.mesh.figures import Figures
from facecli.engines.mesh.identities import Selection
from facecli.engines.mesh.networks import FaceDetector, FaceMesh, FaceRecognizer
from facecli.engines.mesh.options import Color, MeshOptions, Small
from facecli.engines.mesh.patch import FaceBlender, FaceSource, Region, TargetFace
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.tracking import FaceTracker

FRAMES_BEHIND = 3  # that are found, and not drawn yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """The networks that find faces, used by one thread."""

    detector: FaceDetector
    mesh: FaceMesh
    recognizer: FaceRecognizer

    @classmethod
    def load(cls) -> "Networks":
        return cls(detector=FaceDetector(), mesh=FaceMesh(), recognizer=FaceRecognizer())


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameClock:
    """The frames to come: the number of the first in its video, and how many come in a second."""

    first: int
    rate: float


class SegmentSwapper:
    def __init__(
        self,
        networks: Networks,
        source: FaceSource,
        *,
        selection: Selection,
        options: MeshOptions,
        layout: FrameLayout,
        clock: FrameClock,
    ) -> None:
        self._networks, self._source, self._selection = networks, source, selection
        self._options, self._layout, self._clock = options, layout, clock
        self._conversion = ColorConversion(layout)
        self._tracker = FaceTracker(
            networks.detector,
            networks.mesh,
            rate=clock.rate,
            wanted=self._wanted,
            single=options.faces != "all",
            smooth=options.smooth,
            small=options.small is Small.ON,
        )
        self._fader = Fader[tuple[bool, Planes, Frame]]()
        self._blenders: dict[int, FaceBlender] = {}
        self._drawer = ThreadPoolExecutor(1, "draw")
        self._drawn: deque[Future[list[Planes]]] = deque()
        self._taken = 0
        self.figures = Figures()

    def push(self, data: Planes, *, own: bool) -> Iterator[Planes]:
        """Take the planes of the next frame; return the segment's own frame that is done, if there is one."""
        frame = Frame(data, self._layout, self._conversion)
        faces = self._tracker.track(frame, self._clock.first + self._taken)
        self._taken += 1
        for held, visible in self._fader.push((own, data, frame), faces):
            self._drawn.append(self._drawer.submit(self._draw, *held, visible))
        if len(self._drawn) > FRAMES_BEHIND:
            yield from self._drawn.popleft().result()

    def finish(self) -> Iterator[Planes]:
        """Return the frames that are left; `figures` are complete then."""
        for held, visible in self._fader.flush():
            self._drawn.append(self._drawer.submit(self._draw, *held, visible))
        while self._drawn:
            yield from self._drawn.popleft().result()
        self._drawer.shutdown()

    def _draw(self, own: bool, data: Planes, frame: Frame, faces: tuple[VisibleFace, ...]) -> list[Planes]:
        if not own:
            if self._options.color is not Color.NONE:  # which is averaged over time
                self._swap(frame, faces, own=False)
            return []
        changed = self._swap(frame, faces, own=True)
        if changed:
            self.figures.swapped += 1
        elif faces:
            self.figures.turned += 1
        else:
            self.figures.without += 1
        return [data]

    def _swap(self, frame: Frame, faces: tuple[VisibleFace, ...], *, own: bool) -> bool:
        """Swap the faces of a frame, or look at them alone; return whether there was one to swap."""
        margin = self._source.margin
        regions = [
            (face, Region.around(face.points, frame.size, margin=margin))
            for face in faces
            if face.opacity > 0
        ]
        wanted = [(face, region) for face, region in regions if region]
        targets = [
            TargetFace(pixels=frame.region(region), points=region.relative(face.points))
            for face, region in wanted
        ]
        for (face, region), target, drawn in zip(wanted, targets, self._source.draw(targets), strict=True):
            if face.track not in self._blenders:
                self._blenders[face.track] = FaceBlender(self._options)
            if own:
                patch = self._blenders[face.track].patch(target, drawn)
                frame.blend(patch.faded(face.opacity), region)
            else:
                self._blenders[face.track].observe(target, drawn)
        return bool(wanted)

    def _wanted(self, frame: Frame, points: Points) -> bool:
        region = Region.around(points, frame.size)
        if region is None:
            return False
        pixels, inside = frame.region(region), region.relative(points)
        return self._selection.wants(self._networks.recognizer.embed(pixels, inside))
