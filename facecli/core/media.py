"""What facecli asks of whoever reads and writes video and pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    max_pixels: int = 36_000_000  # of one frame or picture
    max_seconds: int = 3 * 3600
    max_frames: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a video holds. `frames` are counted, not believed; `duration` is in seconds."""

    width: int
    height: int
    frames: int
    duration: float
    rate: Fraction  # average frames per second
    codec: str
    sound: str | None  # codec of the first sound track


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    width: int
    height: int
    format: str  # JPEG, PNG or WEBP


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels of the video."""

    x: int
    y: int
    width: int
    height: int


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

    def fit_picture(self, source: Path, target: Path, *, width: int, height: int) -> None:
        """Write the picture as a PNG of exactly this size, upright, its middle kept."""
        ...

    def overlay(
        self,
        *,
        video: Path,
        picture: Path,
        box: Box,
        output: Path,
        info: VideoInfo,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Put the picture on every frame; H.264 and the sound in an MP4 that a browser plays.

        Frames, timestamps and size stay, but an odd side grows by a pixel: H.264 that every player decodes
        has even ones. `progress` gets frames done. Cancelled when `stopped` says yes, within a second, with
        no process left; MediaRefused when ffmpeg cannot read the input.
        """
        ...

    def make_clip(self, output: Path, *, seconds: int, width: int, height: int) -> None:
        """A moving test clip with sound, MP4."""
        ...

    def make_face(self, output: Path) -> None:
        """A drawn face, PNG."""
        ...
