"""What a running program says: its lines as they come, and its last words."""

import re
from collections import deque
from collections.abc import Callable, Sequence

from facecli.core.printable import escaped

MAX_LINE = 2000  # bytes; the rest of a longer line is dropped
MAX_WORDS = 300  # characters
KEPT_LINES = 20

# What `-v level+…` puts before a message: "[mov @ 0x55] [error] "
_LEVELLED = re.compile(r"(?:\[[^]]* @ [^]]*\] )*\[(\w+)\] (.*)")
_BAD = frozenset({"error", "fatal", "panic"})
_FOLLOWS_FROM_ANOTHER = re.compile(
    r"Task finished|Terminating thread|Error opening (in|out)put|Error sending frames|Error parsing options"
    r"|Conversion failed|Nothing was written"
)


class Lines:
    """Cuts bytes into lines and hands each on; holds no more than one line."""

    def __init__(self, *hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._say(self._rest + line)
            self._rest = b""
        self._rest = (self._rest + rest)[:MAX_LINE]

    def end(self) -> None:
        if self._rest:
            self._say(self._rest)
            self._rest = b""

    def _say(self, line: bytes) -> None:
        text = line[:MAX_LINE].decode(errors="replace").rstrip("\r")
        for hear in self._hear:
            hear(text)


class StderrTail:
    """Keeps the last errors of ffmpeg run with `-v level+…`, or the last lines of anything else."""

    def __init__(self) -> None:
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)
        self._levelled = False  # from then on a line without a level is the rest of a title

    def hear(self, line: str) -> None:
        self._levelled = self._levelled or bool(_LEVELLED.match(line))
        said = error_in(line) if self._levelled else line.strip()
        if said:
            self._errors.append(said)

    def text(self, command: Sequence[str]) -> str:
        """The telling ones on one line, printable, without the paths that `command` names."""
        telling = [line for line in self._errors if not _FOLLOWS_FROM_ANOTHER.search(line)]
        text = "; ".join(dict.fromkeys((telling or list(self._errors))[-2:]))
        for argument in sorted(command, key=len, reverse=True):
            path = argument.removeprefix("file:")
            if path.startswith("/"):
                text = text.replace(f"file:{path}", "the file").replace(path, "the file")
        return escaped(text)[:MAX_WORDS]


def error_in(line: str) -> str:
    """What a line of ffmpeg, run with `-v level+…`, says is wrong; empty for anything else."""
    levelled = _LEVELLED.match(line)
    return levelled[2].strip() if levelled and levelled[1] in _BAD else ""
