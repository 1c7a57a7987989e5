"""Parser of ffmpeg's ffmetadata output: the language of each stream."""

import re

from facecli.core.video.languages import iso_639_2
from facecli.media.unknown_output import FfmpegOutputUnknown

_SECTION = "[STREAM]"
_HEADER = ";FFMETADATA1"
_ENTRY = re.compile(r"((?:[^=;#\\]|\\.)*)=(.*)")


class StreamMetadata:
    """Parses `;FFMETADATA1`, then a `[STREAM]` for each one, with lines of `key=value`.

    A backslash escapes `=`, `;`, `#`, itself and the end of a line, so no value can forge a section.
    """

    def __init__(self) -> None:
        self.languages: list[str] = []  # of each stream, ISO 639-2; empty when unknown
        self._value = False  # the line continues the value of the one before
        self._begun = False

    def feed(self, line: str) -> None:
        continued, self._value = self._value, _continues(line)
        if continued:
            return
        if not self._begun:
            if line != _HEADER:
                raise FfmpegOutputUnknown.of(line)
            self._begun = True
        elif line == _SECTION:
            self.languages.append("")
        elif line:
            self._add(line)

    def _add(self, line: str) -> None:
        # A key may continue on the next line, which then has the `=`.
        entry = _ENTRY.fullmatch(line)
        if entry is None and not self._value:
            raise FfmpegOutputUnknown.of(line)
        if entry and self.languages and entry[1].lower() == "language" and not self._value:
            self.languages[-1] = iso_639_2(entry[2])


def _continues(line: str) -> bool:
    """Return whether the end of the line is escaped."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1
