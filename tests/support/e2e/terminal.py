"""A command in a terminal of a given size, and the pictures that its screen shows."""

import os
import signal
from collections.abc import Callable, Sequence

import pexpect
import pyte

from tests.support.cli import DEADLINE


class Terminal:
    """A running command; `pictures` are the screens after each whole frame, without empty lines."""

    def __init__(
        self, command: Sequence[str], *, columns: int, lines: int = 24, **environment: str | None
    ) -> None:
        variables = {**os.environ, "TERM": "xterm-256color", **environment}
        self._child = pexpect.spawn(
            command[0],
            list(command[1:]),
            dimensions=(lines, columns),
            env={name: value for name, value in variables.items() if value is not None},
            timeout=DEADLINE,
        )
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self.pictures = list[list[str]]()
        self._framed = False

    @property
    def picture(self) -> list[str]:
        """The lines of the screen that are not empty."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    @property
    def code(self) -> int:
        """The exit code, after `end`."""
        return int(self._child.exitstatus)

    def wait_for(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until a picture satisfies the condition."""
        while not (self.pictures and self.pictures[-1] and wanted(self.pictures[-1])):
            assert self._read(), "\n".join(["the command ended before:", *self.picture])
        return self.pictures[-1]

    def wait_for_text(self, text: bytes) -> None:
        """Wait until the terminal was sent this text, and forget all before it."""
        while text not in self.raw:
            assert self._read(), "\n".join(["the command ended before:", *self.picture])
        self.raw = b""

    def wait_for_frames(self, count: int) -> None:
        """Forget the pictures so far, and wait for so many new ones."""
        self.pictures.clear()
        while len(self.pictures) < count:
            assert self._read(), "\n".join(["the command ended before:", *self.picture])

    def end(self) -> list[str]:
        """Wait for the end of the command; the last picture."""
        while self._read():
            pass
        self._child.wait()  # it may close its terminal before it exits; `close` would kill it
        self._child.close()
        return self.picture

    def resize(self, columns: int) -> None:
        self._child.setwinsize(self._screen.lines, columns)
        self._screen.resize(columns=columns)
        self.pictures.clear()

    def type(self, text: str) -> None:
        self._child.send(text)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._child.sendintr()

    def kill(self) -> None:
        self._child.kill(signal.SIGKILL)
        self._child.close()

    def _read(self) -> bool:
        try:
            data = self._child.read_nonblocking(65536, timeout=DEADLINE)
        except pexpect.EOF:
            return False
        if data.startswith(b"\n") and self._framed and self.pictures:
            self.pictures.pop()
        self._stream.feed(data)
        self.raw += data
        # A frame ends at the start of a line. It may arrive in parts that end at or within a line break.
        self._framed = data.endswith(b"\r")
        if self._framed:
            self.pictures.append(self.picture)
        return True
