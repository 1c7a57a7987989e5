"""What a command prints: data on stdout as text, JSON lines or the bare minimum; talk on stderr."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any


class Output:
    """stdout is data, stderr is talk."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._one_at_a_time = threading.Lock()

    def show(self, value: Mapping[str, Any], *, text: str, short: str) -> None:
        """Print one result: its JSON object, its ids or URLs alone, or a line for people."""
        if self.as_json:
            self._print(json.dumps(value))
        elif line := short if self.quiet else text:
            self._print(line)

    def event(self, value: Mapping[str, Any]) -> None:
        """Print something on the way, which only a reader of JSON wants as data."""
        if self.as_json:
            self._print(json.dumps(value))

    def note(self, text: str) -> None:
        """Talk, unless quiet."""
        if not self.quiet and not self.as_json:
            say(text)

    def waiting(self, reason: str, seconds: float) -> None:
        """Say that something broke and is tried again."""
        self.note(f"{reason}; trying again in {seconds:.1f} s")

    def _print(self, line: str) -> None:
        with self._one_at_a_time:
            print(line, flush=True)


class Stderr:
    """stderr for who writes to it often: when nobody reads it any more, the work goes on in silence."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BlockingIOError:
            pass
        except OSError:
            # What is still buffered is flushed at our end and must not fail it, with exit code 120.
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
        return self._stream.encoding


def say(text: str) -> None:
    """A line on stderr."""
    Stderr().write(text + "\n")


def mend_streams() -> None:
    """Make the streams of this process safe to use, whatever it was started with.

    A closed one becomes the null device: else the next file that is opened takes its number, and what is
    meant for people is written into it. What the terminal's encoding lacks is escaped.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
