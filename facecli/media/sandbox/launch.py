"""The sandbox launcher: starts a program limited and confined, and ends all that it has started.

Theory of operation: ffmpeg and the picture decoder parse hostile files, so a flaw in them must reach nothing.
The format and protocol allowlists on ffmpeg's command line are the first layer. The second is here, and
either alone is enough. run.py starts this script as

    python -I -S launch.py PARENT MEMORY FILE_SIZE CPU_SECONDS OPEN_FILES ACCESS… -- PROGRAM…

where ACCESS is `r/path` to read, `w/path` to write, `d/path` to control a device, or `n` for the network. It
forks, and between fork and exec the child sets resource limits, restricts files and TCP with Landlock, and
denies sockets with seccomp. No step needs a privilege. A mechanism that the kernel lacks is skipped; one that
the kernel has and that fails stops the launch. The script runs before every ffmpeg, so it imports nothing
slow.

The program runs at a lower priority: when CPUs are scarce, servers answer and workers keep their leases
first. On SQLite all of them wait for the one that holds the lock of writers, and that one may wait for a CPU.

The parent of the two stays outside the sandbox and waits. It is a subreaper, so every descendant of the
program stays below it, also one with a session of its own. When the program ends, when SIGTERM asks for it
or when the process that started the script is gone, it kills them all, then ends as the program did.
"""

import _signal  # type: ignore[import-not-found]  # importing `signal` takes 4 ms
import ctypes
import os
import resource
import sys

CANNOT_START = 127  # exit code, as in the shell
NICE = 10  # a tenth of the CPU time of a process of the usual priority that needs the same CPU
RETRY_SECONDS = 0.15  # Linux allows a change in a tenth of a second, by whomever
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38  # linux/prctl.h
_WAITED = (_signal.SIGCHLD, _signal.SIGTERM)


def main(arguments: list[str]) -> None:
    parent, memory, file_size, cpu_seconds, open_files = map(int, arguments[:5])
    end = arguments.index("--")
    access, program = arguments[5:end], arguments[end + 1 :]
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _WAITED)
    _signal_with_parent(parent, _signal.SIGTERM)
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    launcher = os.getpid()
    if child := os.fork():
        _end_as(_guard(child))
    _signal_with_parent(launcher, _signal.SIGKILL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _WAITED)
    os.nice(NICE)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_NOFILE, open_files)
    try:
        _confine(program[0], access)
        os.execv(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{program[0].rpartition('/')[2]} cannot be started: {error.strerror}\n")
        sys.exit(CANNOT_START)


def _lower_session_priority() -> bool:
    """Lower the priority of this session; False if the system has to be asked again later.

    Linux may share the CPUs between sessions, and compare priorities only within one: see sched(7).
    """
    try:
        file = os.open("/proc/self/autogroup", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, str(NICE).encode())
        os.close(file)
    except BlockingIOError:  # without privileges, one session at a time
        os.close(file)
        return False
    except OSError:  # the system does not group by sessions
        pass
    return True


def _signal_with_parent(parent: int, number: int) -> None:
    """Have the kernel send this process a signal when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it died before the signal was requested
        os.kill(os.getpid(), _signal.SIGKILL)


def _guard(child: int) -> int:
    """Wait for the end of the program, or for SIGTERM; kill what is left, and return an exit code.

    As in `subprocess`, the code is negative for a signal.
    """
    code: int | None = None
    while code is None:
        if _next_signal() == _signal.SIGTERM:
            code = -int(_signal.SIGTERM)
        while code is None and (reaped := os.waitpid(-1, os.WNOHANG))[0]:
            if reaped[0] == child:
                code = os.waitstatus_to_exitcode(reaped[1])
    _kill_children()
    return code


def _next_signal() -> int:
    """Wait for the program's end or SIGTERM, and meanwhile lower the priority of the session."""
    while not _lower_session_priority():
        if received := _signal.sigtimedwait(_WAITED, RETRY_SECONDS):
            return int(received.si_signo)
    return int(_signal.sigwait(_WAITED))


def _kill_children() -> None:
    """Kill and reap every child, and every descendant that becomes one when its own parent is gone."""
    try:
        while True:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                if not (children := _children()):
                    return
                for child in children:
                    os.kill(child, _signal.SIGKILL)
                os.waitpid(-1, 0)
    except ChildProcessError:
        return


def _children() -> list[int]:
    if sys.platform != "linux":
        return []
    children = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  (importing pathlib takes 6 ms)
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123  (as above)
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid():
            children.append(int(name))
    return children


def _end_as(code: int) -> None:
    """End with the exit code, or by the signal, that ended the program."""
    if code < 0:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _WAITED)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


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
        reads, writes, devices = ([path[1:] for path in access if path[0] == kind] for kind in "rwd")
        restrict(abi, program, reads=reads, writes=writes, devices=devices, network="n" in access)
    if can_forbid_sockets() and "n" not in access:
        forbid_sockets()


if __name__ == "__main__":
    main(sys.argv[1:])
