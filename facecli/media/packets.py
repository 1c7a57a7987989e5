"""Parser of ffmpeg's framecrc listing: counts the packets of a file, and the frames that they show."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from facecli.core.errors import MediaRefused
from facecli.media.segments import FrameTimes

NO_TIME = -(2**63)  # AV_NOPTS_VALUE
KEY, DISCARDED = 1, 4  # AV_PKT_FLAG_KEY; AV_PKT_FLAG_DISCARD: decoded but never shown
LONE_FRAME_SECONDS = Fraction(1, 25)  # of a single frame without a duration

_HEADER = re.compile(r"#(\w+) (\d+): (.+)")
_FLAGS = re.compile(r", F=0x([0-9A-F]+)")


@dataclass(slots=True)
class Track:
    """One stream of the listing. Times are in ticks."""

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
    data_end: int = 0  # of the last packet, shown or not
    previous: int | None = None
    timed: bool = True  # every packet has a presentation time
    times: FrameTimes = field(default_factory=FrameTimes)  # of the video stream alone

    def add(self, dts: int, pts: int, length: int, flags: int) -> bool:
        """Add a packet; return whether it is another frame.

        Two packets with one time are one frame: VP8 stores frames that are never shown beside others.
        """
        time = pts if pts != NO_TIME else dts
        self.timed = self.timed and pts != NO_TIME
        self.data_end = max(self.data_end, time + length)
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
        """Seconds from the first frame's start to the last one's end, which is estimated when missing."""
        if self.end > self.last:
            return (self.end - self.first) * self.tick
        if self.frames > 1:
            return (self.last - self.first) * self.tick * self.frames / (self.frames - 1)
        return LONE_FRAME_SECONDS * self.frames

    @property
    def rate(self) -> Fraction:
        return self.frames / self.duration if self.frames else Fraction(0)


class PacketCounter:
    """Parses the listing: `#tb 0: 1/25`, then `0, dts, pts, duration, size, crc, F=flags`."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self.tracks: dict[int, Track] = {}

    @property
    def video(self) -> Track:
        return self.tracks.get(0, Track())

    def feed(self, line: str) -> None:
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
            found = _FLAGS.search(line)
            flags = int(found[1], 16) if found else KEY
            track = self.tracks[index]
            if track.add(dts, pts, length, flags) and not index:
                track.times.add(pts if pts != NO_TIME else dts, key=bool(flags & KEY))
                if track.frames > self._max_frames:
                    raise MediaRefused(f"the video has more than {self._max_frames} frames")

    def end(self) -> Fraction:
        """Return the end of the last packet of any track, in seconds on the file's own clock."""
        return max((track.data_end * track.tick for track in self.tracks.values()), default=Fraction(0))
