"""A media fake without ffmpeg: one byte of a file is one frame."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

from facecli.core.errors import Cancelled, MediaRefused
from facecli.core.video.frames import FrameFilter, FrameLayout, Picture, SandboxedProgram
from facecli.core.video.media import (
    CLIP_RATE,
    FramesJob,
    ImageInfo,
    OverlayJob,
    Segment,
    Sound,
    VideoInfo,
    VideoPlan,
    never,
)
from facecli.core.video.plan import MICROSECONDS, WHOLE, VideoPart
from facecli.core.video.sheet import SHEET_FRAMES, Comparison
from facecli.media.frames.piped_program import piped
from facecli.media.run import ProcessLimits

WIDTH, HEIGHT = 320, 180  # pixels of every video
SIDE = 512  # pixels of every picture


class FakeMedia:
    """Implements `Media` on plain files: a video of n frames has n bytes, joining concatenates, and all
    probes report the same size. `overlays` records the jobs of `overlay`, in order.

    `plan` is the plan of every video; without one, a video is cut into segments of `segment_frames`.
    """

    def __init__(
        self,
        *,
        plan: VideoPlan | None = None,
        segment_frames: int = 10,
        program_idle_seconds: float = 60.0,
    ) -> None:
        self._plan = plan
        self._program_idle_seconds = program_idle_seconds
        self._segment_frames = segment_frames
        self.overlays: list[OverlayJob] = []

    def version(self) -> str:
        return "fake"

    def probe_video(self, path: Path, *, stopped: Callable[[], bool] = never) -> VideoInfo:
        frames = self.count_frames(path)
        return VideoInfo(
            width=WIDTH,
            height=HEIGHT,
            frames=frames,
            duration=frames / CLIP_RATE,
            rate=Fraction(CLIP_RATE),
            codec="h264",
            container="MP4",
            sounds=(Sound(codec="aac", layout="mono"),),
        )

    def probe_image(self, path: Path, *, stopped: Callable[[], bool] = never) -> ImageInfo:
        if not path.stat().st_size:
            raise MediaRefused("the picture is empty")
        return ImageInfo(width=SIDE, height=SIDE, format="PNG")

    def plan(
        self, path: Path, *, part: VideoPart = WHOLE, stills: int | Sequence[int] = SHEET_FRAMES
    ) -> VideoPlan:
        if self._plan:
            return self._plan
        info = self.probe_video(path)
        begin, stop = (-(-time * CLIP_RATE // MICROSECONDS) for time in (part.start, part.end or 0))
        stop = min(info.frames, stop) if part.end else info.frames
        if begin >= stop:
            raise MediaRefused(f"no frame of the video begins {part}; take a longer part")
        starts = range(begin, stop, self._segment_frames)
        segments = (self._segment(index, start, stop) for index, start in enumerate(starts))
        frames = [time * CLIP_RATE // MICROSECONDS for time in stills] if not isinstance(stills, int) else []
        return VideoPlan(
            info=info,
            segments=tuple(segments),
            last=Fraction(stop - 1, CLIP_RATE),
            stills=tuple(self._segment(index, at, at + 1) for index, at in enumerate(frames or [begin])),
        )

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        self.probe_image(source)
        target.write_bytes(source.read_bytes())

    def overlay(
        self, job: OverlayJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        self.overlays.append(job)
        self.probe_image(job.picture)
        for done in range(1, job.segment.frames + 1):
            if stopped():
                raise Cancelled
            progress(done)
        job.output.write_bytes(b"." * job.segment.frames)

    def rewrite_frames(
        self,
        job: FramesJob,
        *,
        open_filter: Callable[[FrameLayout], AbstractContextManager[FrameFilter]],
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        layout, done = self.frame_layout(job.info), 0
        with open_filter(layout) as frame_filter:
            for _ in range(job.segment.frames):
                if stopped():
                    raise Cancelled
                for _ in frame_filter.push(bytearray(layout.frame_bytes), own=True):
                    progress(done := done + 1)
            for _ in frame_filter.finish():
                progress(done := done + 1)
        job.output.write_bytes(b"." * done)

    def frame_layout(self, info: VideoInfo) -> FrameLayout:
        return FrameLayout(width=info.width, height=info.height)

    def sample_frames(
        self, video: Path, info: VideoInfo, *, count: int, stopped: Callable[[], bool]
    ) -> Generator[bytearray, None, None]:
        for _ in range(min(count, info.frames)):
            yield bytearray(self.frame_layout(info).frame_bytes)

    def read_picture(self, path: Path, *, max_side: int, stopped: Callable[[], bool] = never) -> Picture:
        info = self.probe_image(path)
        side = min(info.width, max_side)
        return Picture(width=side, height=side, pixels=bytes(3 * side * side))

    def start(
        self,
        command: Sequence[str],
        *,
        reads: Sequence[Path],
        name: str,
        max_unread: int,
        gpu: bool = False,
        memory: int = 0,
        stopped: Callable[[], bool],
    ) -> AbstractContextManager[SandboxedProgram]:
        return piped(
            command,
            limits=ProcessLimits(seconds=60),
            reads=reads,
            stopped=stopped,
            name=name,
            idle_seconds=self._program_idle_seconds,
            memory=memory,
            max_unread=max_unread,
        )

    def count_frames(self, path: Path) -> int:
        if frames := path.stat().st_size:
            return frames
        raise MediaRefused("the video has no frames")

    def count_decodable(self, video: Path, segment: Segment, info: VideoInfo) -> int:
        return segment.frames

    def extract_sound(
        self, video: Path, plan: VideoPlan, output: Path, *, stopped: Callable[[], bool]
    ) -> list[str]:
        if stopped():
            raise Cancelled
        output.write_bytes(b"")
        return []

    def join(
        self,
        *,
        parts: Sequence[Path],
        sound: Path,
        plan: VideoPlan,
        output: Path,
        metadata: Mapping[str, str],
        stopped: Callable[[], bool],
    ) -> None:
        if stopped():
            raise Cancelled
        output.write_bytes(b"".join(part.read_bytes() for part in parts))

    def compose_sheet(
        self, info: VideoInfo, comparisons: Sequence[Comparison], output: Path, *, stopped: Callable[[], bool]
    ) -> None:
        if stopped():
            raise Cancelled
        output.write_bytes(b"=" * len(comparisons))

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        output.write_bytes(b"." * (seconds * CLIP_RATE))

    def make_face(self, output: Path) -> None:
        output.write_bytes(b"a face")

    def _segment(self, index: int, before: int, total: int) -> Segment:
        frames = min(self._segment_frames, total - before)
        start, end = (Fraction(frame, CLIP_RATE) for frame in (before, before + frames))
        return Segment(
            index=index, before=before, frames=frames, start=start, end=end, key=start if before else None
        )
