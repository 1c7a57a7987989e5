"""strace on a running process: it fails system calls as a broken disk does, or kills or stops it at one."""

import re
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from tests.support.e2e.server import Server

_ENTRY = re.compile(r"^(\d+) +(\w+)\((.*)")
_STUCK_AFTER = 5.0  # seconds; the log is complete by then in any case


class Strace:
    """Injects a fault into `calls` while it is entered: into the call number `when`, or into each of them.

    strace counts per thread and per name of a call. `path` limits it to calls that use this file; calls in
    `also_log` are logged and left alone.
    """

    def __init__(
        self,
        process: Server | int,
        calls: str,
        *,
        inject: str,
        when: int | None = None,
        path: Path | None = None,
        also_log: str = "",
    ) -> None:
        self._when = when
        pid = process if isinstance(process, int) else process.pid
        self._log = NamedTemporaryFile(prefix="strace-")  # noqa: SIM115  (closed in __exit__)
        number = f":when={when}" if when else ""
        command = ["strace", "-f", "-y", "-o", self._log.name, "-e", f"trace={calls},{also_log}".rstrip(",")]
        command += ["-e", f"inject={calls}:{inject}{number}", *(["-P", str(path)] if path else [])]
        self._command = [*command, "-p", str(pid)]

    @property
    def lines(self) -> list[str]:
        """The lines of the log."""
        if self._log.closed:
            return self._last_lines
        return Path(self._log.name).read_text(errors="replace").splitlines()

    @property
    def calls(self) -> list[str]:
        """The logged calls, in order."""
        return [line for line in self.lines if _ENTRY.match(line)]

    @property
    def hit(self) -> int | None:
        """The index in `calls` of the first that was number `when` in its thread; None if there was none."""
        counts: dict[tuple[str, ...], int] = {}
        for index, line in enumerate(self.calls):
            match = _ENTRY.match(line)
            assert match
            thread_and_call = match.groups()[:2]
            counts[thread_and_call] = counts.get(thread_and_call, 0) + 1
            if counts[thread_and_call] == self._when:
                return index
        return None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        first_line = self._process.stderr.readline()
        assert "attached" in first_line, first_line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=_STUCK_AFTER)
        except subprocess.TimeoutExpired:
            # Terminated while the threads of the server are being killed, strace waits for the main thread.
            # That thread cannot end before the others, which strace no longer waits for.
            self._process.kill()
            self._process.communicate()
        self._last_lines = self.lines
        self._log.close()
