"""The clock on the wall of one process, set by a test."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT


class FakeClock:
    """The clock on the wall, for one process; the one that measures how long something takes is left alone.

    Only our code sees it: gRPC compares it with the kernel's, which tells the truth.
    Not by libfaketime: with FAKETIME_DONT_FAKE_MONOTONIC it makes every `time.sleep` of Python 3.11 fail.
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

    def set(self, ahead: int) -> None:
        """So many seconds ahead of the true one."""
        new = self._file.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(self._file)
