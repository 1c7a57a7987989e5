"""Parser of ffmpeg's stderr while it probes a file: container, stream numbers, declared length, damage."""

import re
from enum import Enum
from fractions import Fraction

from facecli.core.video.formats import by_demuxer
from facecli.media.stderr import error_in

_INPUT = re.compile(r"\[info\] Input #0, ([\w,]+), from ")
_DURATION = re.compile(r"\[info\]   Duration: (?:(\d+):(\d\d):(\d\d\.\d+)|N/A)(?:, start: (-?\d+\.\d+))?")
# Streams of a group are indented more.
_STREAM = re.compile(r"\[info\] +Stream #0:(\d+)\b.*?: (Video|Audio): (.*)")
_DECLARED_RATE = re.compile(r", ([\d.]+)(k?) fps")
_FILTERED = re.compile(r"\[info\]   Stream #0:(\d+) \(.*\) -> showinfo\b")
_COPIED = re.compile(r"\[info\]   Stream #0:(\d+) -> #0:(\d+) \(copy\)")
# A demuxer knows that the stream exists, but neither its header nor its first packets give its format.
_UNREADABLE = re.compile(r"Could not find codec parameters for stream (\d+) \((\w+): (\w+)")
_CUT_OFF = re.compile(
    r"partial file|ended prematurely|Truncating packet|corrupt input packet|moov atom not found"
)
_DOLBY = re.compile(r"DOVI configuration record|Dolby Vision")


class _Section(Enum):
    OPENING = 0
    INPUT = 1  # what the file declares
    MAPPING = 2  # what ffmpeg makes of its streams
    OTHER = 3


class ProbeLog:
    """The declarations of a file. An author can forge them, to no one else's harm.

    The numbers of streams come from ffmpeg's own stream mapping, which contains no text of the file.
    """

    def __init__(self) -> None:
        self.opened = False
        self.container = ""
        self.seconds: float | None = None
        self.start: Fraction | None = None  # time at which the file begins, on its own clock
        self.picture: int | None = None  # number of the video stream that is swapped
        self.listed: dict[int, int] = {}  # number in the listing → number in the file
        self.unreadable: dict[int, tuple[str, str]] = {}  # number → kind and codec
        self.has_sound = self.has_cover = False
        self.dolby_vision = False
        self.cut_off = ""
        self.too_large = self.too_many = False
        self._rates: dict[int, Fraction] = {}
        self._section = _Section.OPENING

    @property
    def declared_rate(self) -> Fraction:
        """Frames per second, 0 if not declared."""
        return self._rates.get(self.picture if self.picture is not None else -1, Fraction(0))

    def feed(self, line: str) -> None:
        error = error_in(line)
        self.too_large = self.too_large or "exceeds specified max pixel count" in error
        self.too_many = self.too_many or "exceeds max_streams" in error
        self.dolby_vision = self.dolby_vision or bool(_DOLBY.search(line))
        if cut_off := _CUT_OFF.search(error):
            self.cut_off = cut_off[0]
        if line.startswith("[info] Output #"):
            self._section = _Section.OTHER
        elif line == "[info] Stream mapping:":
            self._section = _Section.MAPPING
        elif self._section is _Section.MAPPING:
            self._add_mapping(line)
        elif opened := _INPUT.match(line):
            self.opened, self._section = True, _Section.INPUT
            known = by_demuxer(opened[1].split(",")[0])
            self.container = known.family if known else ""
        elif unreadable := _UNREADABLE.search(line):
            self.unreadable[int(unreadable[1])] = (unreadable[2], unreadable[3])
        elif self._section is _Section.INPUT:
            self._add_declaration(line)

    def _add_declaration(self, line: str) -> None:
        if duration := _DURATION.match(line):
            if duration[1]:
                self.seconds = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
            self.start = Fraction(duration[4]) if duration[4] else None
        elif stream := _STREAM.match(line):
            self.has_sound = self.has_sound or stream[2] == "Audio"
            self.has_cover = self.has_cover or "(attached pic)" in stream[3]
            if rate := _DECLARED_RATE.search(stream[3]):
                self._rates[int(stream[1])] = Fraction(rate[1]) * (1000 if rate[2] else 1)

    def _add_mapping(self, line: str) -> None:
        if filtered := _FILTERED.match(line):
            self.picture = int(filtered[1])
        elif copied := _COPIED.match(line):
            self.listed[int(copied[2])] = int(copied[1])
        elif not line.startswith("[info]   "):
            self._section = _Section.OTHER
