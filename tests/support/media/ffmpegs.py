"""The ffmpegs of the tests: the newest supported one, of the imageio-ffmpeg package, and the oldest."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

OLDEST = Path("/usr/bin/ffmpeg")
OLDEST_VERSION = "5.1"


@cache
def newest() -> Path:
    """Return the packaged ffmpeg, which also makes the files of the tests."""
    from imageio_ffmpeg import get_ffmpeg_exe

    return Path(get_ffmpeg_exe())


@cache
def has_oldest() -> bool:
    try:
        done = subprocess.run([OLDEST, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.startswith(f"ffmpeg version {OLDEST_VERSION}")


def prefer_newest(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the packaged ffmpeg the first on PATH, so that a test uses Debian's only when it says so."""
    try:
        (folder / "ffmpeg").symlink_to(newest())
    except (ImportError, RuntimeError):
        return
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def ffmpeg(*arguments: object, binary: Path | None = None, level: str = "error") -> bytes:
    """Run an ffmpeg as anybody would, without our flags; return its stdout."""
    command = [str(binary or newest()), "-nostdin", "-hide_banner", "-v", level, "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout
