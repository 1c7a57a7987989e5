"""The ffmpeg to use, and its version."""

import os
import re
import shutil
from pathlib import Path

from facecli.core.errors import FfmpegMissing
from facecli.media.run import ProcessLimits, run

OLDEST_VERSION = (5, 1)  # the first with -fps_mode

_LIMITS = ProcessLimits(seconds=30, file_size=0)


def find_ffmpeg(wanted: str | None = None) -> Path:
    """Return the absolute path of `wanted`, else of the one on PATH, else of the imageio-ffmpeg package's."""
    if wanted:
        path = shutil.which(wanted)
        if path is None:
            raise FfmpegMissing(f"{wanted} is not a program; set FACECLI_FFMPEG to an ffmpeg")
        return Path(path).absolute()
    path = shutil.which("ffmpeg") or _packaged()
    if path is None:
        raise FfmpegMissing("no ffmpeg was found on this machine")
    return Path(path).absolute()


def ffmpeg_version(ffmpeg: Path) -> str:
    """Return the version as it prints it, such as `5.1.9-0+deb12u1`; FfmpegMissing if unusable."""
    lines: list[str] = []
    run([str(ffmpeg), "-version"], limits=_LIMITS, on_stdout=lines.append)
    version = re.match(r"ffmpeg version (\S+)", lines[0] if lines else "")
    if version is None:
        raise FfmpegMissing(f"{ffmpeg} is not an ffmpeg")
    release = re.match(r"n?(\d+)\.(\d+)", version[1])
    if release and (int(release[1]), int(release[2])) < OLDEST_VERSION:
        raise FfmpegMissing(f"{ffmpeg} is {version[1]}, facecli needs 5.1 or newer")
    return version[1]


def _packaged() -> str | None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        return None
    try:
        path = str(get_ffmpeg_exe())
    except RuntimeError:
        return None
    return path if os.access(path, os.X_OK) else None
