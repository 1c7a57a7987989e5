"""Becomes another program, which dies with its parent and stays within limits.

A script of its own, run as `python -I -S launch.py PARENT MEMORY FILE_SIZE CPU_SECONDS OPEN_FILES PROGRAM…`:
the kernel forgets a death signal at fork, so it must be asked for here, between fork and exec.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

CANNOT_START = 127  # exit code, as the shell has it
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    parent, memory, file_size, cpu_seconds, open_files = map(int, arguments[:5])
    program = arguments[5:]
    _die_with(parent)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{Path(program[0]).name} cannot be started: {error.strerror}\n")
        sys.exit(CANNOT_START)


def _die_with(parent: int) -> None:
    """From here on the kernel kills this process when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the signal was asked for
        os.kill(os.getpid(), signal.SIGKILL)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    main(sys.argv[1:])
