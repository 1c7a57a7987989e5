"""What a file says of itself on ffmpeg's stderr."""

import re
from fractions import Fraction

from facecli.media.stderr import error_in

_DURATION = re.compile(r"\[info\]   Duration: (?:(\d+):(\d\d):(\d\d\.\d+)|N/A)(?:, start: (-?\d+\.\d+))?")
_INPUT = re.compile(r"\[info\] Input #0, ([\w,]+), from ")
_STREAM = re.compile(r"\[info\]   Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\((\w+)\))?: (Video|Audio): (.*)")
_DECLARED_RATE = re.compile(r", ([\d.]+)(k?) fps")
_LANGUAGE = re.compile(r"(?!und)[a-z]{3}")
_CUT_OFF = re.compile(
    r"partial file|ended prematurely|Truncating packet|corrupt input packet|moov atom not found"
)
_DOLBY = re.compile(r"DOVI configuration record|Dolby Vision")
_CONTAINERS = {"mov": "MP4", "matroska": "Matroska", "avi": "AVI", "mpegts": "MPEG-TS"}


class ProbeLog:
    """Its author can make a file say anything: good for refusing, and for what harms nobody but him."""

    def __init__(self) -> None:
        self.opened = False
        self.container = ""
        self.seconds: float | None = None
        self.origin = Fraction(0)
        self.declared_rate = Fraction(0)
        self.languages: dict[int, str] = {}  # of sound, by its number among all tracks
        self.has_sound = self.has_cover = self.has_video = False
        self.dolby_vision = False
        self.cut_off = ""
        self.too_large = self.too_many = False

    def hear(self, line: str) -> None:
        error = error_in(line)
        self.too_large = self.too_large or "exceeds specified max pixel count" in error
        self.too_many = self.too_many or "exceeds max_streams" in error
        self.dolby_vision = self.dolby_vision or bool(_DOLBY.search(line))
        if opened := _INPUT.match(line):
            self.opened = True
            self.container = self.container or _CONTAINERS.get(opened[1].split(",")[0], "")
        elif duration := _DURATION.match(line):
            if duration[1]:
                self.seconds = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
            self.origin = Fraction(duration[4] or 0)
        elif stream := _STREAM.match(line):
            self._stream(int(stream[1]), stream[2] or "", kind=stream[3], about=stream[4])
        elif cut_off := _CUT_OFF.search(error):
            self.cut_off = cut_off[0]

    def sound_languages(self) -> list[str]:
        """Of every sound track, in order."""
        return [language for _, language in sorted(self.languages.items())]

    def _stream(self, number: int, language: str, *, kind: str, about: str) -> None:
        if kind == "Audio":
            self.has_sound = True
            self.languages[number] = language if _LANGUAGE.fullmatch(language) else ""
        elif "(attached pic)" in about:
            self.has_cover = True
        else:
            self.has_video = True
            rate = _DECLARED_RATE.search(about)
            if rate and not self.declared_rate:
                self.declared_rate = Fraction(rate[1]) * (1000 if rate[2] else 1)
