"""Requirements of a test on its machine.

A test whose requirement is missing is skipped, or fails where FACECLI_TESTS_SKIP_NOTHING is set.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest

from facecli.media.sandbox.landlock import landlock_abi
from facecli.media.sandbox.seccomp import can_forbid_sockets
from tests.support.e2e.disks import Ext4, tmpfs
from tests.support.e2e.proxies import STREAM_MODULE
from tests.support.media.ffmpegs import has_oldest

NODE_MODULES = Path(__file__).parents[3] / ".ci/node_modules"  # of `npm ci --prefix .ci`
AXE = NODE_MODULES / "axe-core/axe.min.js"  # judges the console

SKIP_NOTHING = "FACECLI_TESTS_SKIP_NOTHING"
_MUST_NOT_SKIP = bool(
    os.environ.get(SKIP_NOTHING)
)  # read before the clean environment of the tests replaces it
_LANDLOCK_ABI = 6
_WITH_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    available: Callable[[], bool]
    remedy: str
    root: bool = False


def needs(name: str) -> pytest.MarkDecorator:
    """Mark a test as requiring one of `REQUIREMENTS`."""
    REQUIREMENTS[name]  # a misspelt name fails at import
    return pytest.mark.needs(name)


def skip_or_fail(missing: str) -> None:
    """Skip the current test because of a missing requirement, or fail it where nothing may be skipped."""
    if _MUST_NOT_SKIP:
        pytest.fail(f"{SKIP_NOTHING} is set, and this machine lacks {missing}")
    pytest.skip(f"needs {missing}")


@cache
def _can_trace() -> bool:
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False


@cache
def _can_mount_tmpfs() -> bool:
    with TemporaryDirectory() as folder:
        try:
            with tmpfs(Path(folder), size="64k"):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@cache
def _can_mount_ext4() -> bool:
    with TemporaryDirectory() as folder:
        try:
            with Ext4(Path(folder) / "image", Path(folder) / "disk", mib=8):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def _has_node() -> bool:
    return bool(which("node")) and (NODE_MODULES / "@grpc/grpc-js").exists()


def _has_chromium() -> bool:
    return all(map(which, ("chromium", "chromedriver", "node"))) and AXE.exists()


@cache
def _has_landlock() -> bool:
    return landlock_abi() >= _LANDLOCK_ABI and can_forbid_sockets()


REQUIREMENTS: Mapping[str, Requirement] = {
    "node": Requirement(
        available=_has_node, remedy="Node (apt-get install npm) and its packages (npm ci --prefix .ci)"
    ),
    "chromium": Requirement(
        available=_has_chromium,
        remedy="Chromium (apt-get install chromium chromium-driver npm) and npm ci --prefix .ci",
    ),
    "strace": Requirement(available=_can_trace, remedy="strace and permission to trace (ptrace)"),
    "tmpfs": Requirement(available=_can_mount_tmpfs, remedy="root or permission to mount", root=True),
    "ext4": Requirement(
        available=_can_mount_ext4,
        remedy="root, loop devices and mkfs.ext4 (apt-get install e2fsprogs)",
        root=True,
    ),
    "ffmpeg 5.1": Requirement(
        available=has_oldest, remedy="ffmpeg 5.1 in /usr/bin (apt-get install ffmpeg on Debian 12)"
    ),
    "nginx": Requirement(
        available=lambda: bool(which("nginx", path=_WITH_SBIN)) and STREAM_MODULE.exists(),
        remedy="nginx (apt-get install nginx libnginx-mod-stream)",
    ),
    "haproxy": Requirement(
        available=lambda: bool(which("haproxy", path=_WITH_SBIN)), remedy="HAProxy (apt-get install haproxy)"
    ),
    "openssl": Requirement(available=lambda: bool(which("openssl")), remedy="apt-get install openssl"),
    "promtool": Requirement(
        available=lambda: bool(which("promtool")), remedy="promtool (apt-get install prometheus)"
    ),
    "systemd-analyze": Requirement(
        available=lambda: bool(which("systemd-analyze")), remedy="systemd-analyze (apt-get install systemd)"
    ),
    "landlock": Requirement(available=_has_landlock, remedy="Linux 6.12 or newer with Landlock and seccomp"),
}
