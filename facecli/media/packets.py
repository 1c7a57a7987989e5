"""Parser of ffmpeg's framecrc listing: counts the packets of a file, and the frames that they show."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits
from facecli.media.segments import FrameTimes
from facecli.media.unknown_output import FfmpegOutputUnknown

NO_TIME = -(2**63)  # AV_NOPTS_VALUE
KEY, DISCARDED = 1, 4  # AV_PKT_FLAG_KEY; AV_PKT_FLAG_DISCARD: decoded but never shown
LONE_FRAME_SECONDS = Fraction(1, 25)  # of a single frame without a duration
# Codecs that store frames which are never shown as packets of their own, at the time of another one.
_WITH_HIDDEN_FRAMES = frozenset({"vp8", "vp9", "av1"})
STOPPED_FRAMES = 4  # in a row at one time: beyond that, the clock went back, and is not merely rounded

_HEADER = re.compile(r"#(\w+) (\d+): *(.*)")
_PACKET = re.compile(
    r"(\d+), +(-?\d+), +(-?\d+), +(-?\d+), +\d+, 0x[0-9a-f]{8}(?:, F=0x([0-9A-F]+))?(?:, S=.*)?"
)


@dataclass(slots=True)
class Track:
    """One stream of the listing. Times are in ticks."""

    kind: str = ""
    codec: str = ""
    layout: str = ""
    tick: Fraction = Fraction(1)
    frames: int = 0
    first: int = 0
    last: int = 0
    end: int = 0
    data_end: int = 0  # of the last packet, shown or not
    previous: int | None = None
    decoded_at: int | None = None  # of the previous packet
    stopped: int = 0  # packets in a row that are due for decoding at the same time
    longest_stop: int = 0
    timed: bool = True  # every packet has a presentation time
    hidden: int = 0  # packets at the time of another one, in codecs that store frames which are never shown
    regular: bool = True  # no two packets are due for decoding at one time, and none is shown before
    times: FrameTimes = field(default_factory=FrameTimes)  # of the video stream alone

    def add(self, dts: int, pts: int, length: int, flags: int) -> bool:
        """Add a packet; return whether it is another frame."""
        time = pts if pts != NO_TIME else dts
        hidden = time == self.previous and self.codec in _WITH_HIDDEN_FRAMES
        self.timed = self.timed and pts != NO_TIME
        self.data_end = max(self.data_end, time + length) if self.decoded_at is not None else time + length
        self.hidden += hidden
        self._check_order(dts, time, hidden=hidden)
        if flags & DISCARDED or hidden:
            return False
        self.end = max(self.end, time + length) if self.frames else time + length
        self.first = min(self.first, time) if self.frames else time
        self.last = max(self.last, time) if self.frames else time
        self.previous = time
        self.frames += 1
        return True

    def extend(self, seconds: Fraction) -> None:
        """Lengthen the last frame."""
        self.end = self.data_end = max(self.end, self.last) + int(seconds / self.tick)

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
        return self.frames / self.duration if self.frames and self.duration else Fraction(0)

    def _check_order(self, dts: int, time: int, *, hidden: bool) -> None:
        repeated = dts == self.decoded_at and not hidden
        self.stopped = self.stopped + 1 if repeated else 0
        self.longest_stop = max(self.longest_stop, self.stopped)
        self.regular = self.regular and not repeated and dts <= time
        self.decoded_at = dts


class PacketCounter:
    """Parses the listing: `#tb 0: 1/25`, then `0, dts, pts, duration, size, crc, F=flags`.

    The video is the last stream of the listing. All streams are named before the first packet.
    """

    def __init__(self, limits: MediaLimits) -> None:
        self._limits = limits
        self.tracks: dict[int, Track] = {}

    @property
    def video(self) -> Track:
        return self.tracks[max(self.tracks)] if self.tracks else Track()

    def feed(self, line: str) -> None:
        if header := _HEADER.fullmatch(line):
            self._add_header(header[1], self.tracks.setdefault(int(header[2]), Track()), header[3])
        elif packet := _PACKET.fullmatch(line):
            index, dts, pts, length = map(int, packet.groups()[:4])
            if index not in self.tracks:
                raise FfmpegOutputUnknown.of(line)
            self._add_packet(index, dts, pts, length, int(packet[5], 16) if packet[5] else KEY)
        elif line and not line.startswith("#"):
            raise FfmpegOutputUnknown.of(line)

    def end(self) -> Fraction:
        """Return the end of the last packet of any track, in seconds on the file's own clock."""
        return max(
            (track.data_end * track.tick for track in self.tracks.values() if track.decoded_at is not None),
            default=Fraction(0),
        )

    def _add_header(self, key: str, track: Track, value: str) -> None:
        match key:
            case "tb":
                track.tick = Fraction(value)
            case "media_type":
                track.kind = value
            case "codec_id":
                track.codec = value
            case "channel_layout_name":
                track.layout = value

    def _add_packet(self, index: int, dts: int, pts: int, length: int, flags: int) -> None:
        track = self.tracks[index]
        if not track.add(dts, pts, length, flags) or track is not self.video:
            return
        track.times.add(pts if pts != NO_TIME else dts, key=bool(flags & KEY))
        if track.frames > self._limits.max_frames:
            raise MediaRefused(f"the video has more than {self._limits.max_frames} frames")
        seconds = (track.last - track.first) * track.tick
        if seconds > self._limits.max_seconds + 1:
            raise MediaRefused(
                f"the video lasts {float(seconds):.0f} s or longer, more than {self._limits.max_seconds}"
            )
