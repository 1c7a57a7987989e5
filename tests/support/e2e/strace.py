"""strace on a running server: it fails calls of the kernel as a broken disk does, or kills at one."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from tests.support.e2e.process import DEADLINE
from tests.support.e2e.server import Server

_ENTRY = re.compile(r"^(\d+) +(\w+)\((.*)")

STUCK = 5.0  # seconds; what it met is in its log by then, in any case


class Strace:
    """Meets `calls` while it is entered and does `what` to the one number `when`, or to each of them.

    strace counts for each thread and each name alone. `at`: only calls that use this file.
    `beside`: calls that it lets pass and tells of too.
    """

    def __init__(
        self,
        server: Server,
        calls: str,
        *,
        what: str,
        when: int | None = None,
        at: Path | None = None,
        beside: str = "",
    ) -> None:
        self._when = when
        self._log = NamedTemporaryFile(prefix="strace-")  # noqa: SIM115  (closed in __exit__)
        number = f":when={when}" if when else ""
        command = ["strace", "-f", "-y", "-o", self._log.name, "-e", f"trace={calls},{beside}".rstrip(",")]
        command += ["-e", f"inject={calls}:{what}{number}", *(["-P", str(at)] if at else [])]
        self._command = [*command, "-p", str(server.pid)]

    @property
    def lines(self) -> list[str]:
        """The log."""
        if self._log.closed:
            return self._last
        return Path(self._log.name).read_text(errors="replace").splitlines()

    @property
    def calls(self) -> list[str]:
        """Those that it met, in their order."""
        return [line for line in self.lines if _ENTRY.match(line)]

    @property
    def hit(self) -> int | None:
        """Which of `calls` was number `when` in its thread, from 0; None when none was."""
        met: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(self.calls):
            match = _ENTRY.match(line)
            assert match
            who = match.groups()[:2]
            met[who] = met.get(who, 0) + 1
            if met[who] == self._when:
                return number
        return None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        said = self._process.stderr.readline()
        assert "attached" in said, said
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=STUCK)
        except subprocess.TimeoutExpired:
            # Told to end while the server's threads were killed, it waits for the first of them, which cannot
            # go before the others, after which it does not ask any more.
            self._process.kill()
            self._process.communicate()
        self._last = self.lines
        self._log.close()


def until(found: Callable[[], object]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + DEADLINE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)
