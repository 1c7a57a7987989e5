"""What the first frame looks like, read from ffmpeg's showinfo filter."""

import re
from fractions import Fraction

# Before showinfo's words; a title in the file has its own text behind "[info]".
_SAID = re.compile(r"\[Parsed_showinfo_0 @ 0x[0-9a-f]+\] \[info\] (.*)")
_TICK = re.compile(r"config in time_base: (\d+/\d+)")
_FRAME = re.compile(r"n: +0 pts: *(-?\d+) .*\bfmt:(\w+)")
_COLOURS = re.compile(r"color_range:(\w+) color_space:([\w-]+) color_primaries:([\w-]+) color_trc:([\w-]+)")
_DEEP = re.compile(r"(?!.*(?:444|555|565)[lb]e).*[lb]e")  # of more than 8 bits, stored in words
_RGB = re.compile(r"(?:0?[ar]?(?:rgb|bgr|gbr)|pal8|mono)")
HDR = {"smpte2084": "HDR10 (PQ)", "arib-std-b67": "HDR (HLG)"}


class FrameProperties:
    """Of frames as filters get them: upright."""

    def __init__(self) -> None:
        self.start: Fraction | None = None  # seconds on the file's own clock
        self.format = ""
        self.range = self.matrix = self.transfer = ""
        self._tick = Fraction(1)

    def hear(self, line: str) -> None:
        said = _SAID.match(line)
        if said is None:
            return
        if tick := _TICK.match(said[1]):
            self._tick = Fraction(tick[1])
        elif frame := _FRAME.match(said[1]):
            self.start, self.format = int(frame[1]) * self._tick, frame[2]
        elif (colours := _COLOURS.match(said[1])) and not self.transfer:
            self.range = colours[1] if colours[1] in {"tv", "pc"} else ""
            self.matrix = "" if colours[2] in {"unknown", "unspecified", "reserved"} else colours[2]
            self.transfer = colours[4]

    @property
    def bits(self) -> int:
        """10 for more than 8 as well: there is no H.264 of 12."""
        return 10 if _DEEP.fullmatch(self.format) else 8

    @property
    def rgb(self) -> bool:
        return bool(_RGB.match(self.format))

    @property
    def hdr(self) -> str:
        """What kind of high dynamic range it is, if any."""
        return HDR.get(self.transfer, "")
