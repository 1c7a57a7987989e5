"""Parser of ffmpeg's showinfo filter: the properties of the first frame."""

import re
from fractions import Fraction

# showinfo's prefix; a title in the file can forge text only behind "[info]".
_LINE = re.compile(r"\[Parsed_showinfo_0 @ 0x[0-9a-f]+\] \[info\] (.*)")
_TICK = re.compile(r"config in time_base: (\d+/\d+)")
_FRAME = re.compile(r"n: +0 pts: *(-?\d+) .*\bfmt:(\w+)")
_COLOURS = re.compile(r"color_range:(\w+) color_space:([\w-]+) color_primaries:([\w-]+) color_trc:([\w-]+)")
_DEEP = re.compile(r"(?!.*(?:444|555|565)[lb]e).*[lb]e")  # more than 8 bits, stored in 16-bit words
_RGB = re.compile(r"(?:0?[ar]?(?:rgb|bgr|gbr)|pal8|mono)")
HDR = {"smpte2084": "HDR10 (PQ)", "arib-std-b67": "HDR (HLG)"}


class FrameProperties:
    """The first frame as filters receive it: upright."""

    def __init__(self) -> None:
        self.start: Fraction | None = None  # seconds on the file's own clock
        self.format = ""
        self.range = self.matrix = self.transfer = ""
        self._tick = Fraction(1)

    def feed(self, line: str) -> None:
        prefixed = _LINE.match(line)
        if prefixed is None:
            return
        text = prefixed[1]
        if tick := _TICK.match(text):
            self._tick = Fraction(tick[1])
        elif frame := _FRAME.match(text):
            self.start, self.format = int(frame[1]) * self._tick, frame[2]
        elif (colours := _COLOURS.match(text)) and not self.transfer:
            self.range = colours[1] if colours[1] in {"tv", "pc"} else ""
            self.matrix = "" if colours[2] in {"unknown", "unspecified", "reserved"} else colours[2]
            self.transfer = colours[4]

    @property
    def bits(self) -> int:
        """Bits per colour: 8, or 10 for anything deeper, because H.264 has no 12."""
        return 10 if _DEEP.fullmatch(self.format) else 8

    @property
    def rgb(self) -> bool:
        return bool(_RGB.match(self.format))

    @property
    def hdr(self) -> str:
        """The kind of high dynamic range, empty for a standard one."""
        return HDR.get(self.transfer, "")
