"""What facecli asks of whoever reads and writes video and pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from facecli.core.placement import Placement

CLIP_RATE = 25  # frames per second of the clips that are made for trying


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    max_pixels: int = 36_000_000  # of one frame or picture
    max_seconds: int = 3 * 3600
    max_frames: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One sound track. An empty language is an unknown one."""

    codec: str
    layout: str  # of its channels, such as mono, stereo, 5.1(side)
    language: str = ""  # ISO 639-2


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a video holds, upright. `frames` are counted, not believed; `duration` is in seconds."""

    width: int
    height: int
    frames: int
    duration: float
    rate: Fraction  # average frames per second
    codec: str
    container: str = ""  # MP4, Matroska, AVI or MPEG-TS
    start: Fraction = Fraction(0)  # time of the first frame on the file's own clock
    origin: Fraction = Fraction(0)  # time on that clock at which the file begins, perhaps with sound alone
    ticks: int = 120_000  # per second; every frame's time is a whole number of them
    bits: int = 8  # per colour, 8 or 10
    range: str = ""  # tv or pc, of colours; empty when the file does not say
    matrix: str = ""  # how colours are coded, as ffmpeg calls it; empty when the file does not say
    rgb: bool = False
    sounds: tuple[Sound, ...] = ()

    @property
    def full_range(self) -> bool:
        return self.range == "pc"

    @property
    def sound(self) -> str | None:
        """Codec of the first sound track."""
        return self.sounds[0].codec if self.sounds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Frames that follow each other, worked on in one go. Exact seconds on the file's own clock."""

    index: int
    before: int  # frames of the video that come before
    frames: int
    start: Fraction  # of its first frame
    end: Fraction  # of the first frame after it, or the end of the video
    key: Fraction | None  # of the key frame to decode from; None decodes from the beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """A video, and how it is cut for work: every frame is in one segment, in order."""

    info: VideoInfo
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    width: int
    height: int
    format: str  # JPEG, PNG or WEBP


class Media(Protocol):
    """Real files through real decoders, within limits. Every path is a local file."""

    def version(self) -> str:
        """The ffmpeg in use; FfmpegMissing when there is none."""
        ...

    def probe_video(self, path: Path) -> VideoInfo:
        """MediaRefused, with the reason, for what is not a whole video within the limits."""
        ...

    def probe_image(self, path: Path) -> ImageInfo:
        """MediaRefused, with the reason, for what is not a picture within the limits."""
        ...

    def plan(self, path: Path) -> VideoPlan:
        """Probe a video and cut it into segments of about the same work, at key frames where it has some."""
        ...

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        """Write the picture as a PNG of exactly this size, upright, its middle kept."""
        ...

    def overlay(
        self,
        *,
        video: Path,
        segment: Segment,
        picture: Path,
        placement: Placement,
        output: Path,
        info: VideoInfo,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Put the picture on every frame of the segment; H.264 without sound in an MP4 that begins at 0.

        The segment's frames, their distances, size, pixel shape, depth and colour tags stay. `progress` gets
        frames done. Cancelled when `stopped` says yes, within a second, with no process left; MediaRefused
        when ffmpeg cannot read the input.
        """
        ...

    def count_frames(self, path: Path) -> int:
        """Of a file that an engine wrote; MediaRefused when it holds no video."""
        ...

    def count_shown(self, video: Path, segment: Segment, info: VideoInfo) -> int:
        """How many frames of a segment can be decoded; fewer than it has where the video is damaged."""
        ...

    def join(
        self,
        *,
        video: Path,
        parts: Sequence[Path],
        plan: VideoPlan,
        output: Path,
        stopped: Callable[[], bool],
    ) -> None:
        """Put the swapped segments together, and the sound of the video to them: an MP4 that a browser plays.

        The parts lie in one directory and have the frames of the plan's segments; every frame gets the time
        that it has in the video. Sound tracks that an MP4 can hold are copied, others become AAC. Subtitles,
        chapters and titles are left out. MediaRefused when ffmpeg cannot read one.
        """
        ...

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        """A moving test clip with sound, MP4."""
        ...

    def make_face(self, output: Path) -> None:
        """A drawn face, PNG."""
        ...
