"""Output of a command: results on stdout as text, JSON lines or bare IDs; diagnostics on stderr."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from facecli.cli.shared.encoding import set_up_encoding
from facecli.cli.shared.program import runnable
from facecli.cli.shared.result_stream import protect_stdout
from facecli.core.printable import escaped_lines


class Output:
    """Results on stdout, diagnostics on stderr."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._lock = threading.Lock()

    def show(self, value: Mapping[str, Any], *, text: str, short: str) -> None:
        """Print one result: its JSON object, only its ID or URL, or a line of text."""
        if self.as_json:
            self._print(json.dumps(value))
        elif line := short if self.quiet else text:
            self._print(escaped_lines(line))

    def blank(self) -> None:
        """Print an empty line, for an argument without a result."""
        self._print("")

    def event(self, value: Mapping[str, Any]) -> None:
        """Print an intermediate state, with --json only."""
        if self.as_json:
            self._print(json.dumps(value))

    def note(self, text: str) -> None:
        """Write a diagnostic line, unless --quiet or --json is given."""
        if not self.quiet and not self.as_json:
            write_stderr(runnable(escaped_lines(text)))

    def remark(self, text: str) -> None:
        """Write a line that scripts must not miss to stderr, in every mode."""
        write_stderr(json.dumps({"note": text}) if self.as_json else escaped_lines(text))

    def _print(self, line: str) -> None:
        with self._lock:
            write_stdout(line)


class Stderr:
    """Stderr for frequent writes; once its reader is gone, writes are dropped and the command continues."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BlockingIOError:
            pass
        except OSError:
            # Buffered text is flushed at exit, which would fail with exit code 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        except ValueError:
            pass
        return len(text)

    def flush(self) -> None:
        self.write("")

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        return self._stream.encoding or "utf-8"


def write_stdout(line: str) -> None:
    """Write a line to stdout at once."""
    print(line, flush=True)


def write_stderr(text: str) -> None:
    """Write a line to stderr."""
    Stderr().write(text + "\n")


def repair_streams() -> None:
    """Make the standard streams safe to use.

    A closed stream becomes the null device; otherwise the next opened file would get its descriptor, and
    diagnostics would be written into it. Characters outside a stream's encoding are spelled or escaped.
    Writing a result that nobody can read is an error.
    """
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode))
    set_up_encoding()
    protect_stdout(closed=closed)
