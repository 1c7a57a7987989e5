"""Which ffmpeg is used."""

import os
import re
import shutil
from pathlib import Path

from facecli.core.errors import FfmpegMissing
from facecli.media.run import Bounds, run

OLDEST = (5, 1)  # the first with -fps_mode

_BOUNDS = Bounds(seconds=30, file_size=0)


def find_ffmpeg(wanted: str | None = None) -> Path:
    """The wanted one, else the one on PATH, else the one of the imageio-ffmpeg package; absolute."""
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise FfmpegMissing(f"{wanted} is not a program; FACECLI_FFMPEG names an ffmpeg")
        return Path(found).absolute()
    found = shutil.which("ffmpeg") or _packaged()
    if found is None:
        raise FfmpegMissing("there is no ffmpeg on this machine")
    return Path(found).absolute()


def ffmpeg_version(ffmpeg: Path) -> str:
    """As it prints it, such as `5.1.9-0+deb12u1`; FfmpegMissing when it is too old or is no ffmpeg."""
    printed: list[str] = []
    run([str(ffmpeg), "-version"], bounds=_BOUNDS, on_output=printed.append)
    said = re.match(r"ffmpeg version (\S+)", printed[0] if printed else "")
    if said is None:
        raise FfmpegMissing(f"{ffmpeg} is not an ffmpeg")
    release = re.match(r"n?(\d+)\.(\d+)", said[1])
    if release and (int(release[1]), int(release[2])) < OLDEST:
        raise FfmpegMissing(f"{ffmpeg} is {said[1]}, facecli needs 5.1 or newer")
    return said[1]


def _packaged() -> str | None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        return None
    try:
        found = str(get_ffmpeg_exe())
    except RuntimeError:
        return None
    return found if os.access(found, os.X_OK) else None
