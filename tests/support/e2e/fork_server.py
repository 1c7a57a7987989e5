"""`facecli` processes forked from one that has imported the program, which saves each of them its imports."""

import atexit
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import DupFd
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import IO, Any

PRELOADED = "tests.support.e2e.preloaded"  # the module that imports the program
READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "GRPC_", "MALLOC_")  # variables, by how they begin


class ForkedProcess:
    """A forked `facecli …` in a session of its own, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path | None) -> None:
        self.args = [sys.executable, "-m", "facecli", *arguments]
        self.returncode: int | None = None
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self.stdout: IO[str] | None = os.fdopen(out)
        self.stderr: IO[str] | None = os.fdopen(err)
        self._process = fork_context().Process(target=_Command(arguments, environment, cwd, out_end, err_end))
        self._process.start()
        os.close(out_end)
        os.close(err_end)

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(SIGKILL)

    def terminate(self) -> None:
        self.send_signal(SIGTERM)


def start_command(
    arguments: Sequence[str], *, environment: Mapping[str, str], cwd: Path | None = None
) -> "ForkedProcess | subprocess.Popen[str]":
    """Start `facecli …` in a session of its own, its output in pipes; by fork where that makes no difference.

    Other tests find workers by their arguments, which a fork does not have.
    """
    changed = {name for name, _ in environment.items() ^ os.environ.items()}
    if arguments[0] != "worker" and not any(name.startswith(READ_AT_START) for name in changed):
        return ForkedProcess(arguments, environment, cwd)
    return subprocess.Popen(
        [sys.executable, "-m", "facecli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    )


@cache
def fork_context() -> ForkServerContext:
    """The context in which processes are forked from one that has imported the program."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    return context


class _Command:
    """Runs in the child: what the kernel and the interpreter do at the start and at the end of a process."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path | None,
        *output: int,
    ) -> None:
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._cwd = cwd
        self._output = output

    def __getstate__(self) -> dict[str, Any]:
        """Send the ends of the pipes along, while the process is being started."""
        return {**self.__dict__, "_output": [DupFd(number) for number in self._output]}

    def __call__(self) -> None:
        from facecli.__main__ import main

        os.setsid()
        for number, end in enumerate(self._output, start=1):
            os.dup2(end.detach(), number)  # type: ignore[attr-defined]
        os.environ.clear()
        os.environ.update(self._environment)
        time.tzset()
        os.chdir(self._cwd or ".")
        sys.argv = ["facecli", *self._arguments]
        sys.stdout = os.fdopen(1, "w")
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
        code: Any = 1
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            os._exit(code or 0)
