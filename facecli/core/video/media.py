"""The interface to video and picture files, and the records that its calls take."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facecli.core.video.frames import FrameFilter, FrameLayout, Picture, SandboxedProgram
from facecli.core.video.placement import Placement
from facecli.core.video.plan import FRAMES_AFTER as FRAMES_AFTER
from facecli.core.video.plan import FRAMES_BEFORE as FRAMES_BEFORE
from facecli.core.video.plan import WHOLE, VideoPart
from facecli.core.video.plan import Segment as Segment
from facecli.core.video.plan import Sound as Sound
from facecli.core.video.plan import VideoInfo as VideoInfo
from facecli.core.video.plan import VideoPlan as VideoPlan
from facecli.core.video.sheet import SHEET_FRAMES, Comparison

CLIP_RATE = 25  # frames per second of generated test clips


def never() -> bool:
    """A `stopped` of work that goes on to its end."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    max_pixels: int = 36_000_000  # of one frame or picture
    max_seconds: int = 3 * 3600
    max_frames: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    width: int
    height: int
    format: str  # a family in core/video/formats.py, such as JPEG


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayJob:
    """A picture to put on every frame of one segment of a video. Every path is a local file."""

    video: Path
    segment: Segment
    info: VideoInfo  # of the whole video
    picture: Path  # PNG of the placement's size
    placement: Placement
    output: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesJob:
    """One segment of a video to rewrite frame by frame. Every path is a local file."""

    video: Path
    segment: Segment
    info: VideoInfo  # of the whole video
    output: Path
    stills: Collection[int] = ()  # frames, by number in the video, to keep beside the output for a sheet


class Media(Protocol):
    """Reads and writes video and pictures with real decoders, within limits. Every path is a local file."""

    def version(self) -> str:
        """Return the version of ffmpeg; FfmpegMissing if none is installed."""
        ...

    def probe_video(self, path: Path, *, stopped: Callable[[], bool] = never) -> VideoInfo:
        """Inspect a video; MediaRefused, with the reason, unless it is complete and within the limits.

        Cancelled soon after `stopped` returns True, with no process left.
        """
        ...

    def probe_image(self, path: Path, *, stopped: Callable[[], bool] = never) -> ImageInfo:
        """Inspect a picture; MediaRefused and Cancelled as for a video."""
        ...

    def plan(
        self, path: Path, *, part: VideoPart = WHOLE, stills: int | Sequence[int] = SHEET_FRAMES
    ) -> VideoPlan:
        """Probe a video and cut a part of it into segments of similar size, at key frames where possible.

        `stills` is a number of frames, spread evenly over the part, or times since the video begins in
        microseconds, each for the frame that is shown then. MediaRefused when no frame begins in the part.
        """
        ...

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        """Write the picture as an upright PNG of exactly this size, cropped around its middle."""
        ...

    def overlay(
        self, job: OverlayJob, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        """Write the segment with the picture on every frame: H.264 without sound in an MP4 that begins at 0.

        Frames, the intervals between them, size, pixel shape, depth and colour tags stay. The visible label
        of the segment, if it has one, is on top, here and in `rewrite_frames`. `progress` receives the
        number of frames done. Cancelled within a second of `stopped` returning True, with no process
        left; MediaRefused when ffmpeg cannot read the input.
        """
        ...

    def rewrite_frames(
        self,
        job: FramesJob,
        *,
        open_filter: Callable[[FrameLayout], AbstractContextManager[FrameFilter]],
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Write the segment with every frame as the filter returns it; the output, and errors, as `overlay`.

        Frames have the video's own planes and depth; only what has no such planes is converted to 4:2:0. A
        filter is opened again when the video has to be decoded from its beginning.
        """
        ...

    def sample_frames(
        self, video: Path, info: VideoInfo, *, count: int, stopped: Callable[[], bool]
    ) -> Generator[bytearray, None, None]:
        """Yield at most `count` frames spread over the video, in the planes of `frame_layout`.

        The same video yields the same frames. They are few where a long video has few key frames.
        """
        ...

    def frame_layout(self, info: VideoInfo) -> FrameLayout:
        """Return the planes in which frames of a video are rewritten and sampled."""
        ...

    def read_picture(self, path: Path, *, max_side: int, stopped: Callable[[], bool] = never) -> Picture:
        """Decode the picture, upright, scaled down to a longer side of at most `max_side` pixels."""
        ...

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
        """Start a program in the sandbox, which may read `reads` and write nothing; ended with the context.

        `name` is the subject of error messages, such as `the detector`. While it is written to, at least
        `max_unread` bytes of its output are taken, so that it need not wait with its answers. With `gpu` it
        may also control the GPUs of the machine. `memory` is the number of bytes to share with it.
        """
        ...

    def count_frames(self, path: Path) -> int:
        """Count the frames of a file that an engine wrote; MediaRefused when it holds no video."""
        ...

    def count_decodable(self, video: Path, segment: Segment, info: VideoInfo) -> int:
        """Count the frames of a segment that can be decoded: fewer than it has in a damaged video."""
        ...

    def extract_sound(
        self, video: Path, plan: VideoPlan, output: Path, *, stopped: Callable[[], bool]
    ) -> list[str]:
        """Write the sound tracks of the part into an MP4 for `join`; an empty file if none can be kept.

        Tracks that an MP4 can hold are copied, others become AAC. A sound track never fails a video: one that
        ffmpeg can neither copy nor decode is left out. Returns a sentence for every loss.
        """
        ...

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
        """Join the swapped segments and the extracted sound into an MP4 that browsers play.

        The parts are in one directory and have the frames of the plan's segments; every frame is shown at its
        time in the video. Subtitles, chapters and titles are dropped; `metadata` are the file's own entries.
        """
        ...

    def compose_sheet(
        self, info: VideoInfo, comparisons: Sequence[Comparison], output: Path, *, stopped: Callable[[], bool]
    ) -> None:
        """Write a JPEG that shows frames before and after; one that cannot be decoded leaves a gap."""
        ...

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        """Write a moving test clip with sound, MP4."""
        ...

    def make_face(self, output: Path) -> None:
        """Write a drawn face, PNG."""
        ...
