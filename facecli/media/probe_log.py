"""Parser of ffmpeg's stderr while it probes a file: container, tracks, declared length, damage."""

import re
from fractions import Fraction

from facecli.core.video.formats import by_demuxer
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


class ProbeLog:
    """The declarations of a file. An author can forge all of them, to no one else's harm."""

    def __init__(self) -> None:
        self.opened = False
        self.container = ""
        self.seconds: float | None = None
        self.origin = Fraction(0)
        self.declared_rate = Fraction(0)
        self.languages: dict[int, str] = {}  # number of a sound track among all tracks → its language
        self.has_sound = self.has_cover = self.has_video = False
        self.dolby_vision = False
        self.cut_off = ""
        self.too_large = self.too_many = False

    def feed(self, line: str) -> None:
        error = error_in(line)
        self.too_large = self.too_large or "exceeds specified max pixel count" in error
        self.too_many = self.too_many or "exceeds max_streams" in error
        self.dolby_vision = self.dolby_vision or bool(_DOLBY.search(line))
        if opened := _INPUT.match(line):
            self.opened = True
            known = by_demuxer(opened[1].split(",")[0])
            self.container = self.container or (known.family if known else "")
        elif duration := _DURATION.match(line):
            if duration[1]:
                self.seconds = int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3])
            self.origin = Fraction(duration[4] or 0)
        elif stream := _STREAM.match(line):
            self._add_stream(int(stream[1]), stream[2] or "", kind=stream[3], properties=stream[4])
        elif cut_off := _CUT_OFF.search(error):
            self.cut_off = cut_off[0]

    def sound_languages(self) -> list[str]:
        """Return the language of every sound track, in order."""
        return [language for _, language in sorted(self.languages.items())]

    def _add_stream(self, number: int, language: str, *, kind: str, properties: str) -> None:
        if kind == "Audio":
            self.has_sound = True
            self.languages[number] = language if _LANGUAGE.fullmatch(language) else ""
        elif "(attached pic)" in properties:
            self.has_cover = True
        else:
            self.has_video = True
            rate = _DECLARED_RATE.search(properties)
            if rate and not self.declared_rate:
                self.declared_rate = Fraction(rate[1]) * (1000 if rate[2] else 1)
