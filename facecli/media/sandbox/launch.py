"""Becomes another program, which dies with its parent, stays within limits and reaches only what it may.

A script of its own, run as `python -I -S launch.py PARENT MEMORY FILE_SIZE CPU_SECONDS OPEN_FILES REACH… --
PROGRAM…`, where a REACH is `r/path` to read or `w/path` to write: the kernel forgets a death signal at fork,
so it must be asked for here, between fork and exec. It runs before every ffmpeg: nothing slow is imported.
"""

import ctypes
import os
import resource
import sys

CANNOT_START = 127  # exit code, as the shell has it
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SIGKILL = 9  # importing `signal` takes 4 ms


def main(arguments: list[str]) -> None:
    parent, memory, file_size, cpu_seconds, open_files = map(int, arguments[:5])
    end = arguments.index("--")
    reach, program = arguments[5:end], arguments[end + 1 :]
    _die_with(parent)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        _confine(program[0], reach)
        os.execv(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{program[0].rpartition('/')[2]} cannot be started: {error.strerror}\n")
        sys.exit(CANNOT_START)


def _die_with(parent: int) -> None:
    """From here on the kernel kills this process when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the signal was asked for
        os.kill(os.getpid(), _SIGKILL)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _confine(program: str, reach: list[str]) -> None:
    # Last of all places, so that nothing beside this package is taken for a module of Python's.
    sys.path.append(__file__.removesuffix("/facecli/media/sandbox/launch.py"))
    from facecli.media.sandbox.landlock import confine

    confine(
        program,
        reads=[path[1:] for path in reach if path[0] == "r"],
        writes=[path[1:] for path in reach if path[0] == "w"],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
