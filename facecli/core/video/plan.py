"""Videos as records: their properties, the part of one that a task asks for, and the plan of its segments."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

from facecli.core.errors import InvalidInput
from facecli.core.labels.labels import BurntLabel

MICROSECONDS = 1_000_000  # per second
ROUNDED_SECONDS = 1  # by which an end may lie behind that of the video: players show whole seconds

# Frames around a segment that an engine sees besides its own: enough for smoothing to settle before it, and
# for a face to fade out behind it.
FRAMES_BEFORE, FRAMES_AFTER = 16, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound track. An empty language is an unknown one."""

    codec: str
    layout: str = ""  # of its channels, such as mono, stereo, 5.1(side); empty when unknown
    language: str = ""  # ISO 639-2
    stream: int = field(default=0, compare=False)  # its number in the file, among streams of all kinds
    readable: bool = True  # False when ffmpeg recognises no format in it


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """The properties of a video, upright. `frames` are counted, not declared; `duration` is in seconds."""

    width: int
    height: int
    frames: int
    duration: float
    rate: Fraction  # average frames per second
    codec: str
    container: str = ""  # a family in core/video/formats.py, such as Matroska
    start: Fraction = Fraction(0)  # time of the first frame on the file's own clock
    last: Fraction = Fraction(0)  # time of the last frame on that clock
    origin: Fraction = Fraction(0)  # time on that clock at which the picture or a sound track begins
    ticks: int = 120_000  # per second; every frame's time is a whole number of them
    bits: int = 8  # per colour, 8 or 10
    range: str = ""  # of colours, tv or pc; empty when the file does not declare it
    matrix: str = ""  # of colours, by ffmpeg's name; empty when the file does not declare it
    rgb: bool = False
    subsampling: str = "420"  # of colours: 420, 422 or 444; whatever has no such planes counts as 420
    sounds: tuple[Sound, ...] = ()
    timed: bool = True  # every frame has a time of its own
    hidden: int = 0  # frames stored at the time of another one; a few of them may be shown after all

    @property
    def length(self) -> Fraction:
        """Seconds from the origin to the end of the last frame."""
        return self.start - self.origin + Fraction(self.duration)

    @property
    def full_range(self) -> bool:
        return self.range == "pc"

    @property
    def sound(self) -> str | None:
        """Codec of the first sound track."""
        return self.sounds[0].codec if self.sounds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPart:
    """The frames that begin from `start` on and before `end`, in microseconds since the video begins."""

    start: int = 0
    end: int | None = None  # None for the end of the video

    def __str__(self) -> str:
        end = "" if self.end is None else f" to {_shown(self.end)}"
        return f"from {_shown(self.start)}{end or ' on'}"

    def check(self) -> None:
        """Raise InvalidInput unless a video can have such a part."""
        if self.start < 0:
            raise InvalidInput(f"a part of a video begins at 0 s or later, not at {_shown(self.start)}")
        if self.end is not None and self.end <= self.start:
            raise InvalidInput(f"the part of the video {self} is empty; it must end later than it begins")

    def check_within(self, info: VideoInfo) -> None:
        """Raise InvalidInput when the video has no such part."""
        if self != WHOLE and not info.timed:
            raise InvalidInput(
                "the frames of the video have no times of their own, so no part of it can be taken; "
                "convert it first, such as with ffmpeg -i IN OUT.mp4"
            )
        length = round(info.length * MICROSECONDS)
        if self.start >= length:
            raise InvalidInput(f"{_shown(self.start)} is not in the video, which ends at {_shown(length)}")
        if self.end is not None and self.end > length + ROUNDED_SECONDS * MICROSECONDS:
            raise InvalidInput(
                f"the part of the video ends at {_shown(self.end)}, but the video at {_shown(length)}; "
                "leave the end out to take all of the rest"
            )


def _shown(microseconds: int) -> str:
    return f"{microseconds / MICROSECONDS:.6f}".rstrip("0").rstrip(".") + " s"


WHOLE = VideoPart()


def video_part(begin: float | None, end: float | None) -> VideoPart:
    """The part of a video between two times in seconds; InvalidInput for an empty one."""
    part = VideoPart(start=microseconds(begin or 0.0), end=None if end is None else microseconds(end))
    part.check()
    return part


def microseconds(seconds: float) -> int:
    if not math.isfinite(seconds):
        raise InvalidInput(f"{seconds} s is no time in a video")
    return round(seconds * MICROSECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Consecutive frames that are processed together. Times are exact seconds on the file's own clock."""

    index: int
    before: int  # frames of the video that precede it
    frames: int
    start: Fraction  # of its first frame
    end: Fraction  # of the first frame after it, or the end of the video
    key: Fraction | None  # time of the key frame to decode from; None decodes from the beginning
    wide: "Segment | None" = None  # the segment and the frames around it; None if there are none
    label: BurntLabel | None = None  # that `Media` burns into the frames it writes for an engine


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """A video and the segments of the part to swap: each of its frames is in exactly one, in order."""

    info: VideoInfo  # of the whole video
    segments: tuple[Segment, ...]
    last: Fraction  # time of the last frame of the part, on the file's own clock
    stills: tuple[Segment, ...] = ()  # single frames to look at, in order

    @property
    def frames(self) -> int:
        return sum(segment.frames for segment in self.segments)

    @property
    def from_beginning(self) -> bool:
        return not self.segments[0].before

    @property
    def to_end(self) -> bool:
        last = self.segments[-1]
        return last.before + last.frames == self.info.frames

    @property
    def start(self) -> Fraction:
        """Time of the first frame of the part on the file's own clock."""
        return self.info.start if self.from_beginning else self.segments[0].start

    @property
    def origin(self) -> Fraction:
        """Time on the file's own clock at which the result begins.

        A part begins with its first frame, a whole video or its beginning with the picture or a sound track.
        """
        return self.info.origin if self.from_beginning else self.start

    @property
    def end(self) -> Fraction:
        """End of the last frame on the file's own clock."""
        return self.segments[-1].end

    def done_after(self, segment: Segment, frames: int) -> int:
        """Return the frames of the part that are done when so many of a segment are."""
        return segment.before - self.segments[0].before + frames
