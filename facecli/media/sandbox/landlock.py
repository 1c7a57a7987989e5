"""The Landlock half of the sandbox: an allowlist of files, enforced by the kernel.

It also denies TCP (since ABI 4) and signals to processes outside (since ABI 6), and needs no privilege:
https://docs.kernel.org/userspace-api/landlock.html
"""

import os
import stat
import struct
import sys
from collections.abc import Iterable

from facecli.media.sandbox.libc import checked, libc

# Programs, their libraries and fonts, and no user's files. A path that does not exist is skipped.
SYSTEM = (
    *("/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/fonts", "/sys/devices/system/cpu", "/dev/urandom"),
)

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3  # linux/landlock.h
_REMOVE_FILE, _MAKE_FILE, _TRUNCATE, _IOCTL_DEVICE = 1 << 5, 1 << 8, 1 << 14, 1 << 15
_READ = _READ_FILE | _READ_DIR
_RUN = _READ | _EXECUTE
_WRITE = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
_CONTROL = _READ | _WRITE_FILE | _IOCTL_DEVICE
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI → number of rights on files from then on
_TCP_BIND_AND_CONNECT = 3  # since ABI 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 3  # since ABI 6
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every architecture
_VERSION, _PATH_BENEATH = 1, 1


def landlock_abi() -> int:
    """Return the ABI version of the kernel's Landlock, 0 where it has none or denies the question."""
    return max(0, libc.syscall(_CREATE_RULESET, None, 0, _VERSION)) if sys.platform == "linux" else 0


def restrict(
    abi: int,
    program: str,
    *,
    reads: Iterable[str],
    writes: Iterable[str],
    devices: Iterable[str],
    network: bool = False,
) -> None:
    """Confine this process to `program`, the system's libraries, and these paths. OSError on failure.

    Each path is a file, or a directory with everything in it. Only `devices` take every ioctl.
    """
    allowed = dict.fromkeys((*SYSTEM, *_parts_of(program)), _RUN)
    allowed |= dict.fromkeys(reads, _READ)
    allowed |= dict.fromkeys(("/dev/null", *writes), _WRITE)
    allowed |= dict.fromkeys(devices, _CONTROL)
    all_rights = (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= abi)) - 1
    ruleset = _create_ruleset(abi, all_rights, network=network)
    for path, rights in allowed.items():
        _add_rule(ruleset, path, rights & all_rights)
    checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _parts_of(program: str) -> Iterable[str]:
    """Yield the program and its libraries, as in /opt/ffmpeg/{bin,lib}; Python also needs its pyvenv.cfg."""
    for path in (program, os.path.realpath(program)):
        prefix = os.path.dirname(os.path.dirname(path))  # noqa: PTH120  (importing pathlib takes 6 ms)
        yield path
        yield from (f"{prefix}/{part}" for part in ("lib", "lib64", "pyvenv.cfg"))


def _create_ruleset(abi: int, all_rights: int, *, network: bool) -> int:
    handled = struct.pack("Q", all_rights)
    handled += struct.pack("Q", 0 if network else _TCP_BIND_AND_CONNECT) if abi >= 4 else b""
    handled += struct.pack("Q", _ABSTRACT_SOCKETS_AND_SIGNALS) if abi >= 6 else b""
    return checked(libc.syscall(_CREATE_RULESET, handled, len(handled), 0))


def _add_rule(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a path that does not exist needs no rule
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _FOR_FILES
    rule = struct.pack("=Qi", rights, descriptor)
    checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    os.close(descriptor)
