"""Parser of ffmpeg's showinfo filter: the time of every frame, and colours and pixel shape of the first."""

import re
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from facecli.media.unknown_output import FfmpegOutputUnknown

# showinfo's prefix; a title in the file can forge text only behind "[info]".
_LINE = re.compile(r"\[Parsed_showinfo_\d+ @ 0x[0-9a-f]+\] \[info\] (.*)")
_FRAME = re.compile(r"n: *\d+ pts: *(-?\d+|NOPTS) .*\bsar:(\d+)/(\d+) ")
_COLOR_LINE = re.compile(r"color_range:\S+ color_space:\S+ color_primaries:([\w-]+) color_trc:([\w-]+)")
_UNKNOWN = frozenset({"unknown", "unspecified", "reserved", "reserved0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFrame:
    """A frame as the filter received it."""

    time: int | None  # ticks of the filter's clock
    pixel_aspect: Fraction  # 0 when unknown
    primaries: str  # of the first frame, by ffmpeg's name
    transfer: str


class FrameLog:
    """The frames logged and not yet taken, in order. ffmpeg logs a frame's colours after its time."""

    def __init__(self) -> None:
        self._frames: deque[LoggedFrame] = deque()
        self._begun: tuple[int | None, Fraction] | None = None
        self._colors: tuple[str, str] | None = None  # primaries and transfer

    def feed(self, line: str) -> None:
        """Parse one line of the log; FfmpegOutputUnknown for a line about a frame that has another form."""
        prefixed = _LINE.match(line)
        if prefixed is None:
            return
        text = prefixed[1]
        if text.startswith("n:"):
            frame = _matched(_FRAME, text, line)
            time = None if frame[1] == "NOPTS" else int(frame[1])
            self._begun = time, Fraction(int(frame[2]), int(frame[3]) or 1)
        elif text.startswith("color_range:") and self._begun:
            # ffmpeg writes this line in parts, between which its decoder may report damage.
            self._colors = self._colors or _colors(text, line)
            time, aspect = self._begun
            primaries, transfer = self._colors
            self._frames.append(
                LoggedFrame(time=time, pixel_aspect=aspect, primaries=primaries, transfer=transfer)
            )
            self._begun = None

    def take(self) -> LoggedFrame | None:
        return self._frames.popleft() if self._frames else None


def _colors(text: str, line: str) -> tuple[str, str]:
    found = _matched(_COLOR_LINE, text, line)
    primaries, transfer = ("unknown" if name in _UNKNOWN else name for name in found.groups())
    return primaries, transfer


def _matched(pattern: re.Pattern[str], text: str, line: str) -> re.Match[str]:
    found = pattern.match(text)
    if found is None:
        raise FfmpegOutputUnknown.of(line)
    return found
