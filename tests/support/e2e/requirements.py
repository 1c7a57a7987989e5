"""What a test needs of its machine: it is skipped where that is missing, unless nothing may be skipped."""

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest

from facecli.media.sandbox.landlock import landlock_abi
from facecli.media.sandbox.seccomp import can_forbid_sockets
from tests.support.e2e.disks import Ext4, tmpfs

# Set where every tool is to be there, as in CI: a skip would hide what is not tested.
SKIP_NOTHING = "FACECLI_TESTS_SKIP_NOTHING"


def needs(thing: str) -> pytest.MarkDecorator:
    """`strace`, `tmpfs`, `ext4`, `node` or `landlock`, whose ABI is at least 6."""
    missing = not _THERE[thing]()
    if missing and os.environ.get(SKIP_NOTHING):
        raise RuntimeError(f"{SKIP_NOTHING} is set, and this machine lacks: {_WORDS[thing]}")
    return pytest.mark.skipif(missing, reason=f"needs {_WORDS[thing]}")


@cache
def _may_trace() -> bool:
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False


@cache
def _may_mount_tmpfs() -> bool:
    with TemporaryDirectory() as folder:
        try:
            with tmpfs(Path(folder), size="64k"):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@cache
def _may_mount_ext4() -> bool:
    with TemporaryDirectory() as folder:
        try:
            with Ext4(Path(folder) / "image", Path(folder) / "disk", mib=8):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def _has_node() -> bool:
    return all(map(which, ("node", "npm")))


def _may_confine() -> bool:
    return landlock_abi() >= 6 and can_forbid_sockets()


_WORDS = {
    "node": "Node and npm (apt-get install npm)",
    "strace": "strace, and leave to trace (ptrace)",
    "tmpfs": "root, or what else may mount",
    "ext4": "root, loop devices and mkfs.ext4 (apt-get install e2fsprogs)",
    "landlock": "Linux 6.12 or newer with Landlock, and seccomp",
}
_THERE: dict[str, Callable[[], bool]] = {
    "node": _has_node,
    "strace": _may_trace,
    "tmpfs": _may_mount_tmpfs,
    "ext4": _may_mount_ext4,
    "landlock": _may_confine,
}
