"""The seccomp half of the sandbox: a filter that denies a process sockets of every kind.

Landlock covers TCP alone, and a name lookup leaves the machine over UDP. The filter is a classic BPF program
that the kernel runs on every system call: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import struct
import sys

from facecli.media.sandbox.libc import checked, libc

_GET_SECCOMP, _SET_SECCOMP, _FILTER = 21, 22, 2  # linux/prctl.h, linux/seccomp.h
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # AUDIT_ARCH, number of socket(2)
_IO_URING_SETUP = 425  # it could create sockets without socket(2)
_X32 = 0x40000000  # above it the same calls have other numbers
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 13, 0x80000000  # 13: EACCES
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_CALL_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data


def can_forbid_sockets() -> bool:
    """Return whether this kernel and architecture support the filter."""
    linux = sys.platform == "linux"  # elsewhere there is no prctl
    return linux and os.uname().machine in _SOCKET and libc.prctl(_GET_SECCOMP, 0, 0, 0, 0) >= 0


def forbid_sockets() -> None:
    """Deny socket(2) and io_uring to this process and all that it starts. OSError on failure."""
    architecture, socket = _SOCKET[os.uname().machine]
    steps = (  # operation, steps to skip if true, steps to skip if false, operand
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL_NUMBER),
        (_AT_LEAST, 3, 0, _X32),
        (_EQUAL, 2, 0, socket),
        (_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    checked(libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0))
