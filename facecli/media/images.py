"""Pictures of users: looked at and fitted in a limited child process."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.media import ImageInfo, MediaLimits
from facecli.media.run import Bounds, run

_BOUNDS = Bounds(seconds=60, memory=2 * 1024**3, file_size=1024**3)


def probe_image(path: Path, limits: MediaLimits) -> ImageInfo:
    """Decode the whole picture; MediaRefused when that cannot be."""
    return _decoded(path, limits)


def fit_picture(source: Path, target: Path, *, width: int, height: int, limits: MediaLimits) -> None:
    """Write a PNG of exactly this size; nothing is left behind when it fails."""
    try:
        _decoded(source, limits, str(target.absolute()), str(width), str(height))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _decoded(path: Path, limits: MediaLimits, *fit: str) -> ImageInfo:
    pillow = find_spec("PIL")
    assert pillow and pillow.origin
    script, packages = Path(__file__).with_name("picture.py"), Path(pillow.origin).parents[1]
    command = [
        sys.executable,
        "-I",
        str(script),
        str(packages),
        str(limits.max_pixels),
        str(path.absolute()),
        *fit,
    ]
    printed: list[str] = []
    ended = run(
        command,
        bounds=_BOUNDS,
        reads=(script, packages, path),
        writes=[Path(target).parent for target in fit[:1]],
        on_output=printed.append,
    )
    if ended.exit_code or not printed:
        raise MediaRefused(f"the picture cannot be decoded ({ended.words})")
    answer = json.loads(printed[0])
    if "refused" in answer:
        raise MediaRefused(answer["refused"])
    return ImageInfo(width=answer["width"], height=answer["height"], format=answer["format"])
