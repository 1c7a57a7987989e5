"""A wall clock for one process that a test sets, and periodic jobs that do not wait their interval."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.support.eventually import eventually

INTERVAL = 0.2  # seconds from the end of a periodic job to its next start


class FakeClock:
    """The wall clock of one process; its monotonic clock is left alone.

    Only facecli's own code sees it, because gRPC compares `time.time` with the kernel's clock. libfaketime
    does not work: with FAKETIME_DONT_FAKE_MONOTONIC it makes every `time.sleep` of Python 3.11 fail.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self._jobs = folder / "jobs"
        self._jobs.touch()
        self.set(0)
        (folder / "sitecustomize.py").write_text(
            "import pathlib, sys, threading, time\n"
            f"ahead, true = pathlib.Path({str(self._file)!r}), time.time\n"
            f"jobs, true_wait = pathlib.Path({str(self._jobs)!r}), threading.Event.wait\n"
            "def now():\n"
            "    ours = sys._getframe(1).f_globals['__name__'].startswith('facecli.')\n"
            "    return true() + (float(ahead.read_text()) if ours else 0)\n"
            "def wait(event, timeout=None):\n"
            "    caller = sys._getframe(1)\n"
            "    if caller.f_globals['__name__'] != 'facecli.core.periodic':\n"
            "        return true_wait(event, timeout)\n"
            "    with jobs.open('a') as file:\n"
            "        file.write(caller.f_locals['fields']['job'] + '\\n')\n"
            f"    return true_wait(event, {INTERVAL})\n"
            "time.time, threading.Event.wait = now, wait\n"
        )
        self.environment: Mapping[str, str] = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    def set(self, seconds_ahead: int) -> None:
        """Set the clock this far ahead of the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds_ahead))
        new.replace(self._file)

    def wait_for_job(self, name: str) -> None:
        """Wait until a periodic job of this name, as `Class.method`, has run once from begin to end."""
        until = self._waits(name) + 2  # the first wait may end a run that has begun before
        eventually(lambda: self._waits(name) >= until)

    def _waits(self, name: str) -> int:
        """The number of waits for the job so far."""
        return self._jobs.read_text().splitlines().count(name)
