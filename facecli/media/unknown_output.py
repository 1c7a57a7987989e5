"""The error for output of ffmpeg that cannot be parsed: never a guess."""

from facecli.core.errors import FacecliError
from facecli.core.printable import escaped

MAX_CHARACTERS = 200  # of the line in the message


class FfmpegOutputUnknown(FacecliError):
    """ffmpeg printed a line that facecli cannot parse."""

    hint = "set FACECLI_FFMPEG to another version of ffmpeg, and report the line as a bug in facecli"

    @classmethod
    def of(cls, line: str) -> "FfmpegOutputUnknown":
        return cls(f"ffmpeg printed a line that facecli cannot parse: {escaped(line)[:MAX_CHARACTERS]}")
