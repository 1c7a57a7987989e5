"""Parser of ffmpeg's showinfo filter: the properties of the first frame."""

import re
from fractions import Fraction

from facecli.media.unknown_output import FfmpegOutputUnknown

# showinfo's prefix; a title in the file can forge text only behind "[info]".
_LINE = re.compile(r"\[Parsed_showinfo_0 @ 0x[0-9a-f]+\] \[info\] (.*)")
_TICK = re.compile(r"config in time_base: (\d+/\d+)")
_FRAME = re.compile(r"n: *\d+ pts: *(-?\d+|NOPTS) .*\bfmt:(\w+) .*\bs:(\d+)x(\d+) i:([PTB?])")
_COLOURS = re.compile(r"color_range:(\w+) color_space:([\w-]+) color_primaries:([\w-]+) color_trc:([\w-]+)")
_DEEP = re.compile(r"(?!.*(?:444|555|565)[lb]e).*[lb]e")  # more than 8 bits, stored in 16-bit words
_HALVED = re.compile(r"(?:yuv[aj]?422p|yuyv422|uyvy422|yvyu422|nv16|nv20|y21\d|p21\d)")  # in width only
_UNHALVED = re.compile(r"(?:yuv[aj]?444p|nv24|nv42|p41\d|v[u3]|ayuv|xv)")
_RGB = re.compile(r"(?:0?[ar]?(?:rgb|bgr|gbr)|pal8|mono)")
HDR = {"smpte2084": "HDR10 (PQ)", "arib-std-b67": "HDR (HLG)"}


class FrameProperties:
    """The first frame as filters receive it: upright."""

    def __init__(self) -> None:
        self.start: Fraction | None = None  # seconds on the file's own clock
        self.format = ""
        self.width = self.height = 0
        self.range = self.matrix = self.transfer = ""
        self._tick = Fraction(1)
        self._coloured = False

    def feed(self, line: str) -> None:
        """Parse one line of the log; FfmpegOutputUnknown for a line about a frame that has another form."""
        prefixed = _LINE.match(line)
        if prefixed is None:
            return
        text = prefixed[1]
        if text.startswith("config in"):
            self._tick = Fraction(_matched(_TICK, text, line)[1])
        elif text.startswith("n:") and not self.format:
            frame = _matched(_FRAME, text, line)
            self.start = None if frame[1] == "NOPTS" else int(frame[1]) * self._tick
            self.format = frame[2]
            self.width, self.height = int(frame[3]), int(frame[4])
        elif text.startswith("color_range:") and not self._coloured:
            self._coloured = True
            colours = _matched(_COLOURS, text, line)
            self.range = colours[1] if colours[1] in {"tv", "pc"} else ""
            self.matrix = "" if colours[2] in {"unknown", "unspecified", "reserved"} else colours[2]
            self.transfer = colours[4]

    @property
    def bits(self) -> int:
        """Bits per colour: 8, or 10 for anything deeper, because H.264 has no 12."""
        return 10 if _DEEP.fullmatch(self.format) else 8

    @property
    def subsampling(self) -> str:
        """422 or 444 if colours are stored so, else 420, to which all others are converted."""
        if _HALVED.match(self.format):
            return "422"
        return "444" if _UNHALVED.match(self.format) else "420"

    @property
    def rgb(self) -> bool:
        return bool(_RGB.match(self.format))

    @property
    def hdr(self) -> str:
        """The kind of high dynamic range, empty for a standard one."""
        return HDR.get(self.transfer, "")


def _matched(pattern: re.Pattern[str], text: str, line: str) -> re.Match[str]:
    found = pattern.match(text)
    if found is None:
        raise FfmpegOutputUnknown.of(line)
    return found
