"""Packets of a file, counted from ffmpeg's framecrc listing."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from facecli.core.errors import MediaRefused
from facecli.media.segments import FrameTimes

NO_TIME = -(2**63)  # AV_NOPTS_VALUE
KEY, DISCARDED = 1, 4  # AV_PKT_FLAG_KEY; AV_PKT_FLAG_DISCARD: decoded but never shown
LONE_FRAME = Fraction(1, 25)  # seconds of a single frame that does not say

_HEADER = re.compile(r"#(\w+) (\d+): (.+)")
_FLAGS = re.compile(r", F=0x([0-9A-F]+)")


@dataclass(slots=True)
class Track:
    """One stream of the listing; times in ticks."""

    kind: str = ""
    codec: str = ""
    layout: str = ""
    width: int = 0
    height: int = 0
    tick: Fraction = Fraction(1)
    frames: int = 0
    first: int = 0
    last: int = 0
    end: int = 0
    reach: int = 0  # the end of what is there, shown or not
    previous: int | None = None
    timed: bool = True  # every packet says when it is shown
    times: FrameTimes = field(default_factory=FrameTimes)  # of the picture's

    def add(self, dts: int, pts: int, length: int, flags: int) -> bool:
        """True for another frame. Two packets of one time are one: VP8 keeps pictures that are never shown
        beside others."""
        time = pts if pts != NO_TIME else dts
        self.timed = self.timed and pts != NO_TIME
        self.reach = max(self.reach, time + length)
        if flags & DISCARDED or time == self.previous:
            return False
        self.end = max(self.end, time + length)
        self.first = min(self.first, time) if self.frames else time
        self.last = max(self.last, time) if self.frames else time
        self.previous = time
        self.frames += 1
        return True

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame's begin to the last one's end, which is guessed when not given."""
        if self.end > self.last:
            return (self.end - self.first) * self.tick
        if self.frames > 1:
            return (self.last - self.first) * self.tick * self.frames / (self.frames - 1)
        return LONE_FRAME * self.frames

    @property
    def rate(self) -> Fraction:
        return self.frames / self.duration if self.frames else Fraction(0)


class Packets:
    """Reads the listing: `#tb 0: 1/25`, then `0, dts, pts, duration, size, crc, F=flags`."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self.tracks: dict[int, Track] = {}

    @property
    def picture(self) -> Track:
        return self.tracks.get(0, Track())

    def hear(self, line: str) -> None:
        if header := _HEADER.match(line):
            track = self.tracks.setdefault(int(header[2]), Track())
            match header[1]:
                case "tb":
                    track.tick = Fraction(header[3])
                case "media_type":
                    track.kind = header[3]
                case "codec_id":
                    track.codec = header[3]
                case "channel_layout_name":
                    track.layout = header[3]
                case "dimensions":
                    track.width, track.height = map(int, header[3].split("x"))
        elif line and not line.startswith("#"):
            index, dts, pts, length, *_ = (int(field) for field in line.split(",", 5)[:5])
            said = _FLAGS.search(line)
            flags = int(said[1], 16) if said else KEY
            track = self.tracks[index]
            if track.add(dts, pts, length, flags) and not index:
                track.times.add(pts if pts != NO_TIME else dts, key=bool(flags & KEY))
                if track.frames > self._max_frames:
                    raise MediaRefused(f"the video has more than {self._max_frames} frames")

    def end(self) -> Fraction:
        """Seconds at which the last packet of any track ends, on the file's own clock."""
        return max((track.reach * track.tick for track in self.tracks.values()), default=Fraction(0))
