"""Standard output for results: a failed write is an error of the command, and a lost reader its end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from facecli.core.errors import OutputFailed, ReaderGone


class ResultStream:
    """A text stream whose writes raise OutputFailed or ReaderGone; everything else is the stream's own."""

    def __init__(self, stream: TextIO, *, closed: bool = False) -> None:
        self._stream = stream
        self._closed = closed

    def write(self, text: str) -> int:
        if text == "":  # a probe by typer, which ignores the error
            return 0
        self.check_open()
        with self._translated():
            return self._stream.write(text)

    def fileno(self) -> int:
        self.check_open()
        return self._stream.fileno()

    def check_open(self) -> None:
        """Raise OutputFailed if the command was started without standard output."""
        if self._closed:
            raise OutputFailed("cannot write to standard output: it is closed")

    def flush(self) -> None:
        with self._translated():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise ReaderGone from error
        except OSError as error:
            raise OutputFailed(f"cannot write to standard output: {error.strerror}") from error


def protect_stdout(*, closed: bool) -> None:
    """Make stdout a ResultStream."""
    sys.stdout = ResultStream(sys.stdout, closed=closed)
