"""The generated matrix of videos: containers × clocks × tracks × sound × oddities × metadata × ffmpegs.

Every pair of values of two axes is in some element, as far as a container can hold both. An element is made
by ffmpeg when its test runs.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.support.media.ffmpegs import ffmpeg

AXES: dict[str, tuple[str, ...]] = {
    "container": ("mp4", "mov", "mkv", "webm", "avi", "ts", "m2ts", "3gp", "dash.mp4", "frag.mov"),
    "clock": ("0", "0.667", "20", "30000", "trimmed"),
    "tracks": (
        *("one", "none", "two", "late", "early", "long", "short", "second video", "cover", "subtitles"),
        *("timecode", "sound first", "empty track"),
    ),
    "sound": (
        "aac",
        "mp2",
        "mp3",
        "ac3",
        "libopus",
        "libvorbis",
        "flac",
        "pcm_s16le",
        "pcm_u8",
        "alac",
        "surround",
    ),
    "oddity": (
        *("none", "twin frames", "twin sound", "sound goes back", "variable rate", "long last frame"),
        *("interlaced", "b-frames", "odd size", "rotated", "one frame", "mpeg4"),
    ),
    "metadata": ("none", "languages", "newlines", "equals signs", "not UTF-8"),
    "ffmpeg": ("newest", "oldest"),
}
TONE = "aevalsrc=if(gte(t\\,0.1)\\,0.5*sin(2*PI*1000*t)\\,0):s=48000"
_MP4 = ("mp4", "mov", "3gp", "dash.mp4", "frag.mov")
_TS = ("ts", "m2ts")
_FRAGMENTED = ("dash.mp4", "frag.mov")
_SOUNDS = {
    "mp4": ("aac", "mp2", "mp3", "ac3", "libopus", "flac", "alac", "surround"),
    "dash.mp4": ("aac", "mp3", "libopus", "flac", "alac", "surround"),
    "mov": ("aac", "mp3", "ac3", "pcm_s16le", "pcm_u8", "alac", "surround"),
    "frag.mov": ("aac", "mp3", "pcm_s16le", "alac", "surround"),
    "3gp": ("aac",),
    "webm": ("libopus", "libvorbis"),
    "avi": ("aac", "mp2", "mp3", "ac3", "pcm_s16le", "pcm_u8"),
    "ts": ("aac", "mp2", "mp3", "ac3", "libopus", "surround"),
}
_SOUNDS["m2ts"] = _SOUNDS["ts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One value of each axis."""

    container: str
    clock: str
    tracks: str
    sound: str
    oddity: str
    metadata: str
    ffmpeg: str

    def __str__(self) -> str:
        return "-".join(getattr(self, axis) for axis in AXES)

    @property
    def possible(self) -> bool:
        """Whether ffmpeg can make it."""
        holds_sound = self.sound in _SOUNDS.get(self.container, AXES["sound"])
        timed_by_packet = self.container not in ("avi", *_TS)
        allowed = {
            "twin frames": self.container in ("mkv", "webm"),
            "twin sound": self.container == "mkv" and self.tracks != "none",
            "sound goes back": self.container == "mkv" and self.tracks != "none",
            "variable rate": self.container != "avi",
            "long last frame": timed_by_packet and self.clock != "trimmed" and self.tracks != "long",
            "interlaced": self.container not in ("webm", "3gp", "avi"),
            "b-frames": self.container not in ("webm", "avi"),
            "odd size": self.container in ("mkv", "webm"),
            "rotated": self.container in ("mp4", "mov"),
            "mpeg4": self.container not in ("webm", *_TS),
            "one frame": self.clock != "trimmed",
        }
        tracks = {
            "cover": self.container in ("mp4", "mkv"),
            "subtitles": self.container in ("mkv", "mp4"),
            "timecode": self.container == "mov",
            "second video": self.container not in ("avi", "3gp", "m2ts"),
            "empty track": self.container in ("mov", "mkv"),
            "sound first": self.container != "avi",
        }
        clock = self.clock == "0" or self.container not in ("avi",)
        return holds_sound and allowed.get(self.oddity, True) and tracks.get(self.tracks, True) and clock

    def make(self, folder: Path) -> Path:
        """Make the video."""
        path = folder / f"video.{self.container.rpartition('.')[2]}"
        seconds = 0.04 if self.oddity == "one frame" else 0.6
        plain = folder / "plain.mkv"
        inputs, maps = self._inputs(folder, seconds)
        ffmpeg(*inputs, *maps, *self._codecs(), plain)
        shift = [] if self.clock in ("0", "trimmed") else ["-output_ts_offset", self.clock]
        trim = ["-ss", "0.24"] if self.clock == "trimmed" else []
        ffmpeg(*trim, "-i", plain, "-map", "0", "-c", "copy", *self._muxing(), *self._tags(), *shift, path)
        if self.oddity == "rotated":
            rotate(path)
        return path

    def _inputs(self, folder: Path, seconds: float) -> tuple[list[object], list[str]]:
        late = {"late": 0.3}.get(self.tracks, 0.0)
        length = {"long": seconds + 0.5, "short": 0.3}.get(self.tracks, max(seconds, 0.5))
        inputs: list[object] = ["-itsoffset", "0.3"] if self.tracks == "early" else []
        inputs += ["-f", "lavfi", "-i", self._picture(seconds)]
        inputs += ["-itsoffset", str(late)] if late else []
        inputs += ["-f", "lavfi", "-t", str(length), "-i", TONE]
        maps = ["-map", "0:v"] + ["-map", "1:a"] * {"none": 0, "two": 2}.get(self.tracks, 1)
        if self.tracks == "sound first":
            maps = ["-map", "1:a", "-map", "0:v"]
        extra = self._extra(folder)
        if extra:
            inputs += extra
            maps += ["-map", "2"] * (20 if self.tracks == "subtitles" else 1)
        return inputs, maps

    def _extra(self, folder: Path) -> list[object]:
        match self.tracks:
            case "second video":
                return ["-f", "lavfi", "-i", "testsrc2=s=32x32:r=25:d=1.5"]
            case "cover":
                return ["-f", "lavfi", "-i", "color=red:s=32x32:r=1:d=1"]
            case "subtitles":
                words = folder / "words.srt"
                words.write_text("1\n00:00:00,000 --> 00:00:00,500\nhello\n")
                return ["-i", words]
            case "empty track":
                return ["-f", "lavfi", "-i", "aevalsrc=0:s=48000:d=1,atrim=end=0"]
        return []

    def _picture(self, seconds: float) -> str:
        size = "65x49" if self.oddity == "odd size" else "64x48"
        source = f"testsrc2=s={size}:r={50 if self.oddity == 'interlaced' else 25}:d={seconds}"
        match self.oddity:
            case "interlaced":
                return f"{source},tinterlace=interleave_top,setfield=tff"
            case "variable rate":
                return f"{source},select=not(eq(mod(n\\,4)\\,1))"
            case "long last frame":
                return f"{source},select=lt(n\\,8)+gt(n\\,13),setpts=PTS+if(gt(N\\,8)\\,1/TB\\,0)"
        return source

    def _codecs(self) -> list[str]:
        if self.container == "webm":
            video = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
        elif self.oddity == "mpeg4" or self.container == "avi":
            video = ["-c:v", "mpeg4"]
        else:
            video = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "6"]
            video += ["-bf", "2" if self.oddity in ("b-frames", "long last frame") else "0"]
        if self.oddity == "interlaced" and self.oddity != "mpeg4":
            video += ["-flags", "+ilme+ildct", "-x264-params", "tff=1"]
        if self.tracks == "cover":
            video += ["-c:v:1", "png", "-frames:v:1", "1"]
        sound = ["-c:a", "aac", "-ac", "6"] if self.sound == "surround" else ["-c:a", self.sound]
        return [*video, "-fps_mode", "passthrough", *sound, "-strict", "experimental", "-c:s", "srt"]

    def _muxing(self) -> list[str]:
        options = []
        if self.container in _FRAGMENTED:
            flags = {"dash.mp4": "dash+frag_keyframe", "frag.mov": "frag_keyframe+empty_moov"}
            options += ["-movflags", flags[self.container]]
        if self.container == "m2ts":
            options += ["-mpegts_m2ts_mode", "1"]
        if self.tracks == "cover":
            options += ["-disposition:v:1", "attached_pic"] if self.container == "mp4" else []
        if self.tracks == "subtitles" and self.container == "mp4":
            options += ["-c:s", "mov_text"]
        if self.tracks == "timecode":
            options += ["-timecode", "01:00:00:00"]
        match self.oddity:
            case "twin frames":
                options += ["-bsf:v", "setts=ts=if(eq(N\\,7)\\,PREV_OUTPTS\\,TS)"]
            case "twin sound":
                options += ["-bsf:a", "setts=ts=if(eq(N\\,7)\\,PREV_OUTPTS\\,TS)"]
            case "sound goes back":
                options += ["-bsf:a", "setts=ts=if(eq(N\\,7)\\,TS-60\\,TS)"]
        return [*options, "-strict", "experimental"]

    def _tags(self) -> list[str]:
        text = {
            "newlines": "x\n[info]   Stream #0:1: Audio: y\\",
            "equals signs": "a=b;c#d=",
            "not UTF-8": "\udcff\udc80",
        }
        if self.metadata == "languages" and self.tracks != "none":
            return [
                "-metadata:s:a:0",
                "language=en-US",
                *(["-metadata:s:a:1", "language=deu"] * (self.tracks == "two")),
            ]
        if value := text.get(self.metadata):
            return [word for tag in ("", ":s:v", ":s:a") for word in (f"-metadata{tag}", f"title={value}")]
        return []


def rotate(path: Path) -> None:
    """Rotate by a quarter: replace the identity matrix in the header of the first track."""
    identity = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    quarter = b"".join(n.to_bytes(4, "big") for n in (0, 1 << 16, 0, 0xFFFF0000, 0, 0, 48 << 16, 0, 1 << 30))
    data = path.read_bytes()
    at = data.index(identity, data.index(b"tkhd"))
    path.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
