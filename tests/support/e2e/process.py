"""`facecli` commands run as processes of their own, their output read while they run."""

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

import pytest

from tests.support.cli import facecli
from tests.support.e2e.fork_server import start_command
from tests.support.eventually import DEADLINE

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """Exit code and output of a command that has ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[Event]:
        """Every line of stdout, parsed as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self) -> Event:
        """The only JSON object on stdout."""
        (only,) = self.objects
        return only

    @property
    def events(self) -> list[Event]:
        """The JSON lines of stderr."""
        return _events(self.err)

    @property
    def error(self) -> Event:
        """The error object that a failing command with --json prints last."""
        error: Event = json.loads(self.err.splitlines()[-1])["error"]
        assert error["exit_code"] == self.code
        return error


class CommandProcess:
    """A running `facecli …` in a session of its own; leaving the context kills it if it has not ended."""

    def __init__(
        self, *arguments: object, environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._process = start_command(
            [str(argument) for argument in arguments],
            environment={**os.environ, **(environment or {})},
            cwd=cwd,
        )
        assert self._process.stdout and self._process.stderr
        self._pipes = {"out": self._process.stdout, "err": self._process.stderr}
        self._texts = {"out": "", "err": ""}
        self._events: list[Event] = []
        self._open_pipes = len(self._pipes)
        self._output_changed = threading.Condition()
        self._readers = [threading.Thread(target=self._read, args=pipe) for pipe in self._pipes.items()]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_event(self, wanted: Callable[[Event], bool]) -> Event:
        """Wait for the first matching JSON line on stdout or stderr."""
        with self._output_changed:
            event = self._output_changed.wait_for(
                lambda: next(filter(wanted, self._events), None) or not self._open_pipes, DEADLINE
            )
            assert isinstance(event, dict), self._texts
            return event

    def wait_for_line(self, pipe: str, *, number: int = 1) -> str:
        """Wait for a line of `out` or `err`, the first by default."""
        with self._output_changed:
            self._output_changed.wait_for(
                lambda: self._texts[pipe].count("\n") >= number or not self._open_pipes, DEADLINE
            )
            return self._texts[pipe].split("\n")[number - 1] + "\n"

    def wait_until_stored(self, minimum: float) -> int:
        """Wait until at least this many bytes are acknowledged; return how many are."""
        event = self.wait_for_event(
            lambda event: event.get("event") == "stored" and event["stored"] >= minimum
        )
        return int(event["stored"])

    def stored(self) -> int:
        """The most bytes that were acknowledged so far."""
        with self._output_changed:
            return max((event["stored"] for event in self._events if "stored" in event), default=0)

    def runs_for(self, seconds: float) -> bool:
        """Whether the command still runs after this time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def wait_until_retrying(self) -> Event:
        """Wait until a transfer pauses before its next try."""
        return self.wait_for_event(lambda event: event.get("event") == "waiting")

    def wait_until_swapping(self, *, attempt: int = 1) -> Event:
        """Wait until an engine has done a part of the video; return the state of the task then."""
        return self.wait_for_event(
            lambda event: (
                event.get("stage") == "swapping"
                and event["frames_done"] > 0
                and event.get("attempt", attempt) == attempt
            )
        )

    def wait(self) -> CommandResult:
        """Wait for the end of the command."""
        code = self._process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return CommandResult(code=code, **self._texts)

    def kill(self) -> CommandResult:
        """Send SIGKILL; return the output so far."""
        self._process.kill()
        result = self.wait()
        assert result.code == -signal.SIGKILL, "the command had ended before it was killed"
        return result

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        result = self.wait()
        for pipe in self._pipes.values():
            pipe.close()
        command = " ".join(map(str, self._process.args[1:]))  # type: ignore[index]
        sys.stderr.write(f"$ {command}\n{result.out[-1000:]}{result.err[-1000:]}→ {result.code}\n")

    def _read(self, name: str, pipe: IO[str]) -> None:
        for line in pipe:
            with self._output_changed:
                self._texts[name] += line
                self._events += _events(line)
                self._output_changed.notify_all()
        with self._output_changed:
            self._open_pipes -= 1
            self._output_changed.notify_all()


def run(
    *arguments: object,
    expect: int = 0,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> CommandResult:
    """Run `facecli …` to its end and assert its exit code."""
    with CommandProcess(*arguments, environment=environment, cwd=cwd) as command:
        result = command.wait()
    assert result.code == expect, result
    return result


def invoke(
    *arguments: object, expect: int | None = 0, environment: Mapping[str, str] | None = None
) -> CommandResult:
    """Run `facecli …` inside this process and assert its exit code, unless it is None.

    Much cheaper than `run`; for commands that are only a step of a test, not what it proves.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        ran = facecli(*arguments)
    result = CommandResult(code=ran.code, out=ran.out, err=ran.err)
    assert expect in {None, result.code}, result
    return result


def _events(text: str) -> list[Event]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
