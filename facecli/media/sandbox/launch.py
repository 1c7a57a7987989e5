"""The sandbox launcher: applies limits and the sandbox to itself, then becomes another program.

Theory of operation: ffmpeg and the picture decoder parse hostile files, so a flaw in them must reach nothing.
The format and protocol allowlists on ffmpeg's command line are the first layer. The second is here, and
either alone is enough. run.py starts this script as

    python -I -S launch.py PARENT MEMORY FILE_SIZE CPU_SECONDS OPEN_FILES ACCESS… -- PROGRAM…

where ACCESS is `r/path` to read or `w/path` to write. Between fork and exec it requests the parent-death
signal (a fork drops it, so the parent cannot), sets resource limits, restricts files and TCP with Landlock,
and denies sockets with seccomp. No step needs a privilege. A mechanism that the kernel lacks is skipped; one
that the kernel has and that fails stops the launch. The script runs before every ffmpeg, so it imports
nothing slow.
"""

import ctypes
import os
import resource
import sys

CANNOT_START = 127  # exit code, as in the shell
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
_SIGKILL = 9  # importing `signal` takes 4 ms


def main(arguments: list[str]) -> None:
    parent, memory, file_size, cpu_seconds, open_files = map(int, arguments[:5])
    end = arguments.index("--")
    access, program = arguments[5:end], arguments[end + 1 :]
    _kill_with_parent(parent)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        _confine(program[0], access)
        os.execv(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{program[0].rpartition('/')[2]} cannot be started: {error.strerror}\n")
        sys.exit(CANNOT_START)


def _kill_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the signal was requested
        os.kill(os.getpid(), _SIGKILL)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _confine(program: str, access: list[str]) -> None:
    """Restrict this process, and what it becomes, to the program, the given paths and no network."""
    # Last on the path, so that no file beside this package can shadow a module of Python's.
    sys.path.append(__file__.removesuffix("/facecli/media/sandbox/launch.py"))
    from facecli.media.sandbox.landlock import landlock_abi, restrict
    from facecli.media.sandbox.libc import checked, libc
    from facecli.media.sandbox.seccomp import can_forbid_sockets, forbid_sockets

    if sys.platform == "linux":
        checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if abi := landlock_abi():
        reads = [path[1:] for path in access if path[0] == "r"]
        writes = [path[1:] for path in access if path[0] == "w"]
        restrict(abi, program, reads=reads, writes=writes)
    if can_forbid_sockets():
        forbid_sockets()


if __name__ == "__main__":
    main(sys.argv[1:])
