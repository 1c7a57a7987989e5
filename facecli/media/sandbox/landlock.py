"""The second wall around ffmpeg and the picture decoder: the kernel lets them reach what they were given.

Landlock for files, TCP and signals (https://docs.kernel.org/userspace-api/landlock.html); a seccomp filter
against sockets of every kind, because a name that is looked up goes out by UDP. Neither needs a privilege.
launch.py calls this before every program, so nothing slow is imported.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

# Programs, their libraries and fonts lie there, and nobody's videos. What is not there is left out.
SYSTEM = (
    *("/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/fonts", "/sys/devices/system/cpu", "/dev/urandom"),
)

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3  # linux/landlock.h
_REMOVE_FILE, _MAKE_FILE, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_READ = _READ_FILE | _READ_DIR
_RUN = _READ | _EXECUTE
_WRITE = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # since which ABI there are so many rights on files
_TCP_BIND_AND_CONNECT = 3  # since ABI 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 3  # since ABI 6
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every architecture
_VERSION, _PATH_BENEATH = 1, 1

_NO_NEW_PRIVS, _GET_SECCOMP, _SET_SECCOMP, _FILTER = 38, 21, 22, 2  # linux/prctl.h, linux/seccomp.h
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # AUDIT_ARCH, number of socket(2)
_IO_URING_SETUP = 425  # it could make sockets without socket(2)
_X32 = 0x40000000  # from there on the same calls have other numbers
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 13, 0x80000000  # 13: EACCES

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_abi() -> int:
    """0 where the kernel has none, or may not be asked. 4 and higher hold TCP too, 6 and higher signals."""
    return max(0, _libc.syscall(_CREATE_RULESET, None, 0, _VERSION)) if sys.platform == "linux" else 0


def can_forbid_sockets() -> bool:
    linux = sys.platform == "linux"  # elsewhere there is no prctl
    return linux and os.uname().machine in _SOCKET and _libc.prctl(_GET_SECCOMP, 0, 0, 0, 0) >= 0


def confine(program: str, *, reads: Iterable[str], writes: Iterable[str]) -> None:
    """From here on this process, whatever it becomes, reaches `program`, `reads`, `writes` and no network.

    These are files, or directories with all that is in them. OSError when a wall that the kernel has does not
    go up.
    """
    if sys.platform == "linux":
        _done(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    if abi := landlock_abi():
        may = dict.fromkeys((*SYSTEM, *_parts(program)), _RUN)
        may |= dict.fromkeys(reads, _READ)
        may |= dict.fromkeys(("/dev/null", *writes), _WRITE)
        _landlock(abi, may)
    if can_forbid_sockets():
        _forbid_sockets(*_SOCKET[os.uname().machine])


def _parts(program: str) -> Iterable[str]:
    """The program and, as in /opt/ffmpeg/bin and /opt/ffmpeg/lib, its libraries; pyvenv.cfg is for Python."""
    for path in (program, os.path.realpath(program)):
        prefix = os.path.dirname(os.path.dirname(path))  # noqa: PTH120  (pathlib takes 6 ms)
        yield path
        yield from (f"{prefix}/{part}" for part in ("lib", "lib64", "pyvenv.cfg"))


def _landlock(abi: int, may: dict[str, int]) -> None:
    rights = (1 << max(count for since, count in _RIGHTS.items() if since <= abi)) - 1
    handled = struct.pack("Q", rights)
    handled += struct.pack("Q", _TCP_BIND_AND_CONNECT) if abi >= 4 else b""
    handled += struct.pack("Q", _ABSTRACT_SOCKETS_AND_SIGNALS) if abi >= 6 else b""
    rules = _done(_libc.syscall(_CREATE_RULESET, handled, len(handled), 0))
    for path, allowed in may.items():
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # it is not there, and so it is not opened
        allowed &= rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & _FOR_FILES
        _done(_libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0))
        os.close(place)
    _done(_libc.syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)


def _forbid_sockets(architecture: int, socket: int) -> None:
    """A program of the kernel's for every system call: https://docs.kernel.org/userspace-api/seccomp_filter.html"""
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
    steps = (
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (answer, 0, 0, _KILL),
        (load, 0, 0, 0),  # the call's number
        (at_least, 3, 0, _X32),
        (equal, 2, 0, socket),
        (equal, 1, 0, _IO_URING_SETUP),
        (answer, 0, 0, _ALLOW),
        (answer, 0, 0, _DENY),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    _done(_libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0))


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
