"""What a video holds, counted packet by packet, and why it is refused. Needs no ffprobe."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.media import MediaLimits, VideoInfo
from facecli.media import commands
from facecli.media.run import Bounds, Ended, run
from facecli.media.words import error_in

SECONDS = 300  # enough to read 20 GB from a slow disk
NO_TIME = -(2**63)  # AV_NOPTS_VALUE
DISCARDED = 4  # AV_PKT_FLAG_DISCARD: decoded but never shown
LONE_FRAME = Fraction(1, 25)  # seconds of a single frame that does not say
SLACK = 0.1  # seconds that a file may end before its header says, for rounding and codec delay

_HEADER = re.compile(r"#(\w+) (\d+): (.+)")
_FLAGS = re.compile(r", F=0x([0-9A-F]+)")
_DURATION = re.compile(r"\[info\]   Duration: (\d+):(\d\d):(\d\d\.\d+)")
_STREAM = re.compile(r"\[info\]   Stream #0:\d+\S*: (Video|Audio): (.*)")
_DECLARED_RATE = re.compile(r", ([\d.]+)(k?) fps")
_CUT_OFF = re.compile(
    r"partial file|ended prematurely|Truncating packet|corrupt input packet|moov atom not found"
)


def probe_video(binary: Path, path: Path, limits: MediaLimits) -> VideoInfo:
    """Decode the first frame, then read every packet once; memory does not grow with the file."""
    story, look, count = _Story(), _Packets(limits.max_frames), _Packets(limits.max_frames)
    bounds = Bounds(seconds=SECONDS, file_size=0)
    ended = run(
        commands.first_frame(binary, path, limits),
        bounds=bounds,
        on_output=look.hear,
        on_words=story.hear,
    )
    _require_picture(ended, story, look, limits)
    ended = run(
        commands.packets(binary, path, limits),
        bounds=bounds,
        on_output=count.hear,
        on_words=story.hear,
    )
    picture = count.tracks.get(0, _Track())
    info = VideoInfo(
        width=look.tracks[0].width,
        height=look.tracks[0].height,
        frames=picture.frames,
        duration=float(picture.duration),
        rate=picture.rate,
        codec=picture.codec,
        sound=next((t.codec for t in count.tracks.values() if t.kind == "audio"), None),
    )
    _require_short(info, story, limits)
    _require_whole(ended, count, story)
    return info


class _Story:
    """What the file says of itself on stderr. Its author can make it say anything: only good for refusing."""

    def __init__(self) -> None:
        self.opened = False
        self.seconds: float | None = None
        self.declared_rate = Fraction(0)
        self.has_sound = self.has_cover = self.has_video = False
        self.cut_off = ""
        self.too_large = self.too_many = False

    def hear(self, line: str) -> None:
        error = error_in(line)
        self.opened = self.opened or line.startswith("[info] Input #0")
        self.too_large = self.too_large or "exceeds specified max pixel count" in error
        self.too_many = self.too_many or "exceeds max_streams" in error
        if duration := _DURATION.match(line):
            self.seconds = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
        elif stream := _STREAM.match(line):
            self._stream(kind=stream[1], about=stream[2])
        elif cut_off := _CUT_OFF.search(error):
            self.cut_off = cut_off[0]

    def _stream(self, *, kind: str, about: str) -> None:
        if kind == "Audio":
            self.has_sound = True
        elif "(attached pic)" in about:
            self.has_cover = True
        else:
            self.has_video = True
            rate = _DECLARED_RATE.search(about)
            if rate and not self.declared_rate:
                self.declared_rate = Fraction(rate[1]) * (1000 if rate[2] else 1)


@dataclass(slots=True)
class _Track:
    """One stream of a framecrc listing; times in ticks."""

    kind: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    tick: Fraction = Fraction(1)
    frames: int = 0
    first: int = 0
    last: int = 0
    end: int = 0
    reach: int = 0  # the end of what is there, shown or not
    previous: int | None = None

    def add(self, time: int, length: int, *, shown: bool) -> None:
        """Two packets of one time are one frame: VP8 keeps pictures that are never shown beside others."""
        self.reach = max(self.reach, time + length)
        if not shown or time == self.previous:
            return
        self.end = max(self.end, time + length)
        self.first = min(self.first, time) if self.frames else time
        self.last = max(self.last, time) if self.frames else time
        self.previous = time
        self.frames += 1

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


class _Packets:
    """Reads ffmpeg's framecrc listing: `#tb 0: 1/25`, then `0, dts, pts, duration, size, crc, F=flags`."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self.tracks: dict[int, _Track] = {}

    def hear(self, line: str) -> None:
        if header := _HEADER.match(line):
            track = self.tracks.setdefault(int(header[2]), _Track())
            match header[1]:
                case "tb":
                    track.tick = Fraction(header[3])
                case "media_type":
                    track.kind = header[3]
                case "codec_id":
                    track.codec = header[3]
                case "dimensions":
                    track.width, track.height = map(int, header[3].split("x"))
        elif line and not line.startswith("#"):
            index, dts, pts, length, *_ = (int(field) for field in line.split(",", 5)[:5])
            flags = _FLAGS.search(line)
            shown = not (flags and int(flags[1], 16) & DISCARDED)
            self.tracks[index].add(pts if pts != NO_TIME else dts, length, shown=shown)
            if not index and self.tracks[index].frames > self._max_frames:
                raise MediaRefused(f"the video has more than {self._max_frames} frames")

    def end(self) -> float:
        """Seconds at which the last packet of any track ends."""
        return float(max((track.reach * track.tick for track in self.tracks.values()), default=0))


def _require_picture(ended: Ended, story: _Story, look: _Packets, limits: MediaLimits) -> None:
    if story.too_large:
        raise MediaRefused(f"the video's frames are larger than {limits.max_pixels} pixels")
    if story.too_many:
        raise MediaRefused(f"the file has more than {commands.MAX_STREAMS} tracks")
    if not story.opened:
        why = f", or it is cut off ({story.cut_off})" if story.cut_off else ""
        raise MediaRefused(f"the file is not an MP4, MOV, MKV, WebM, AVI or MPEG-TS video{why}")
    if not story.has_video:
        if story.has_cover:
            raise MediaRefused("the file has a cover picture but no video")
        raise MediaRefused(
            "the file has sound but no picture" if story.has_sound else "the file has no video"
        )
    if ended.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({ended.words})")
    first = look.tracks.get(0, _Track())
    if not first.frames or not first.width or not first.height:
        raise MediaRefused("the video has no frames" + (f" ({story.cut_off})" if story.cut_off else ""))


def _require_short(info: VideoInfo, story: _Story, limits: MediaLimits) -> None:
    seconds = max(info.duration, story.seconds or 0)
    if seconds > limits.max_seconds:
        raise MediaRefused(f"the video lasts {seconds:.0f} s, more than {limits.max_seconds}")
    if seconds * story.declared_rate > limits.max_frames:
        raise MediaRefused(
            f"the video lasts {seconds:.0f} s at {float(story.declared_rate):g} frames per second, "
            f"which is more than {limits.max_frames} frames"
        )


def _require_whole(ended: Ended, count: _Packets, story: _Story) -> None:
    """A truncated file can be read with exit code 0: compare what came with what the header promised."""
    if story.cut_off:
        raise MediaRefused(f"the video is cut off or damaged ({story.cut_off})")
    if ended.exit_code:
        raise MediaRefused(f"the video is damaged ({ended.words})")
    picture = count.tracks.get(0, _Track())
    if not picture.frames:
        raise MediaRefused("the video has no frames")
    if story.seconds is not None:
        there = count.end()
        if story.seconds - there > max(SLACK, 2 / float(picture.rate)):
            raise MediaRefused(
                f"the video is cut off: its header promises {story.seconds:.2f} s, {there:.2f} s are there"
            )
