"""Lines of a program's output, and the tail of its stderr as an error message."""

import re
from collections import deque
from collections.abc import Callable, Sequence

from facecli.core.printable import escaped

MAX_LINE_BYTES = 2000  # the rest of a longer line is dropped
MAX_TEXT_CHARACTERS = 300
TAIL_LINES = 20

# The prefix that `-v level+…` gives a message: "[mov @ 0x55] [error] "
_LEVELLED = re.compile(r"(?:\[[^]]* @ [^]]*\] )*\[(\w+)\] (.*)")
_ERROR_LEVELS = frozenset({"error", "fatal", "panic"})
_CONSEQUENCE = re.compile(
    r"Task finished|Terminating thread|Error opening (in|out)put|Error sending frames|Error parsing options"
    r"|Conversion failed|Nothing was written"
)


class LineSplitter:
    """Splits bytes into lines and passes each on; holds at most one line."""

    def __init__(self, *listeners: Callable[[str], None]) -> None:
        self._listeners = listeners
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._emit(self._rest + line)
            self._rest = b""
        self._rest = (self._rest + rest)[:MAX_LINE_BYTES]

    def end(self) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        text = line[:MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")
        for listener in self._listeners:
            listener(text)


class StderrTail:
    """The last errors of ffmpeg run with `-v level+…`, or the last lines of any other program."""

    def __init__(self) -> None:
        self._errors: deque[str] = deque(maxlen=TAIL_LINES)
        self._levelled = False  # from then on, a line without a level continues a title

    def feed(self, line: str) -> None:
        self._levelled = self._levelled or bool(_LEVELLED.match(line))
        error = error_in(line) if self._levelled else line.strip()
        if error:
            self._errors.append(error)

    def text(self, command: Sequence[str]) -> str:
        """Return the most specific errors on one printable line, without the paths in `command`."""
        causes = [line for line in self._errors if not _CONSEQUENCE.search(line)]
        text = "; ".join(dict.fromkeys((causes or list(self._errors))[-2:]))
        for argument in sorted(command, key=len, reverse=True):
            path = argument.removeprefix("file:")
            if path.startswith("/"):
                text = text.replace(f"file:{path}", "the file").replace(path, "the file")
        return escaped(text)[:MAX_TEXT_CHARACTERS]


def error_in(line: str) -> str:
    """Return the error message in a line of ffmpeg run with `-v level+…`, empty if it holds none."""
    levelled = _LEVELLED.match(line)
    return levelled[2].strip() if levelled and levelled[1] in _ERROR_LEVELS else ""
