"""A wall clock for one process that a test sets."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT


class FakeClock:
    """The wall clock of one process; its monotonic clock is left alone.

    Only facecli's own code sees it, because gRPC compares `time.time` with the kernel's clock. libfaketime
    does not work: with FAKETIME_DONT_FAKE_MONOTONIC it makes every `time.sleep` of Python 3.11 fail.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.set(0)
        (folder / "sitecustomize.py").write_text(
            "import pathlib, sys, time\n"
            f"ahead, true = pathlib.Path({str(self._file)!r}), time.time\n"
            "def now():\n"
            "    ours = sys._getframe(1).f_globals['__name__'].startswith('facecli.')\n"
            "    return true() + (float(ahead.read_text()) if ours else 0)\n"
            "time.time = now\n"
        )
        self.environment: Mapping[str, str] = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    def set(self, seconds_ahead: int) -> None:
        """Set the clock this far ahead of the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds_ahead))
        new.replace(self._file)
