"""The command line as its users start it: a process of its own, its lines read as they come."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

DEADLINE = 120.0  # seconds; never how long something may take, only when a test gives up

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[Event]:
        """stdout, of which every line must be JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self) -> Event:
        """The one object on stdout."""
        (only,) = self.objects
        return only

    @property
    def events(self) -> list[Event]:
        """What stderr says in JSON."""
        return _events(self.err)

    @property
    def error(self) -> Event:
        """What a command with --json says last when it fails."""
        error: Event = json.loads(self.err.splitlines()[-1])["error"]
        assert error["exit_code"] == self.code
        return error


class Running:
    """`facecli …` under way, in a session of its own; killed on leaving when it did not end."""

    def __init__(
        self, *arguments: object, environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "facecli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            cwd=cwd,
            start_new_session=True,
        )
        assert self._process.stdout and self._process.stderr
        self._pipes = {"out": self._process.stdout, "err": self._process.stderr}
        self._texts = {"out": "", "err": ""}
        self._events: list[Event] = []
        self._open = len(self._pipes)
        self._heard = threading.Condition()
        self._readers = [threading.Thread(target=self._read, args=pipe) for pipe in self._pipes.items()]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def event(self, wanted: Callable[[Event], bool]) -> Event:
        """The first JSON line, of stdout or stderr, that is wanted; waits for it."""
        with self._heard:
            found = self._heard.wait_for(
                lambda: next(filter(wanted, self._events), None) or not self._open, DEADLINE
            )
            assert isinstance(found, dict), self._texts
            return found

    def line(self, name: str) -> str:
        """The first line of `out` or `err`; waits for it."""
        with self._heard:
            self._heard.wait_for(lambda: "\n" in self._texts[name] or not self._open, DEADLINE)
            return self._texts[name].partition("\n")[0] + "\n"

    def stored(self, enough: float) -> int:
        """Wait until the server has acknowledged that many bytes; how many it has."""
        return int(
            self.event(lambda said: said.get("event") == "stored" and said["stored"] >= enough)["stored"]
        )

    def swapping(self, *, attempt: int = 1) -> Event:
        """Wait until an engine has done a part of the video; what was said of the task then."""
        return self.event(
            lambda said: (
                said.get("stage") == "swapping"
                and said["progress"] >= 2
                and said.get("attempt", attempt) == attempt
            )
        )

    def done(self) -> Done:
        """Wait for the end."""
        code = self._process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return Done(code=code, **self._texts)

    def kill(self) -> Done:
        """kill -9; what it had said."""
        self._process.kill()
        done = self.done()
        assert done.code == -signal.SIGKILL, "it had ended before it was killed"
        return done

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        done = self.done()
        for pipe in self._pipes.values():
            pipe.close()
        words = " ".join(map(str, self._process.args[1:]))  # type: ignore[index]
        sys.stderr.write(f"$ {words}\n{done.out[-1000:]}{done.err[-1000:]}→ {done.code}\n")

    def _read(self, name: str, pipe: IO[str]) -> None:
        for line in pipe:
            with self._heard:
                self._texts[name] += line
                self._events += _events(line)
                self._heard.notify_all()
        with self._heard:
            self._open -= 1
            self._heard.notify_all()


def run(
    *arguments: object,
    expect: int = 0,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Done:
    """`facecli …` to its end, which must be with the exit code that is expected."""
    with Running(*arguments, environment=environment, cwd=cwd) as running:
        done = running.done()
    assert done.code == expect, done
    return done


def _events(text: str) -> list[Event]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
