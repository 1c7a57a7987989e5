"""Users' pictures, decoded and fitted in a sandboxed child process."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.os_errors import translate_os_errors
from facecli.core.printable import escaped
from facecli.core.video.formats import FormatKind, of_kind, readable_list
from facecli.core.video.media import ImageInfo, MediaLimits, never
from facecli.media.run import ProcessLimits, run

_PROCESS_LIMITS = ProcessLimits(seconds=60, memory=2 * 1024**3, file_size=1024**3)
_log = logging.getLogger(__name__)


def probe_image(path: Path, limits: MediaLimits, *, stopped: Callable[[], bool] = never) -> ImageInfo:
    """Decode the whole picture; MediaRefused when that fails."""
    return _decode(path, limits, stopped=stopped)


def fit_picture(source: Path, target: Path, *, width: int, height: int, limits: MediaLimits) -> None:
    """Write a PNG of exactly this size; a failure leaves no file behind."""
    try:
        _decode(source, limits, str(target.absolute()), str(width), str(height))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _decode(path: Path, limits: MediaLimits, *fit: str, stopped: Callable[[], bool] = never) -> ImageInfo:
    pillow = find_spec("PIL")
    assert pillow and pillow.origin
    script, packages = Path(__file__).with_name("picture") / "decode.py", Path(pillow.origin).parents[1]
    formats = {entry.pillow: entry.family for entry in of_kind(FormatKind.IMAGE)}
    command = [
        sys.executable,
        "-I",
        str(script),
        str(packages),
        str(limits.max_pixels),
        ",".join(formats),
        readable_list(FormatKind.IMAGE),
        str(path.absolute()),
        *fit,
    ]
    lines: list[str] = []
    result = run(
        command,
        limits=_PROCESS_LIMITS,
        reads=(script.parent, packages, path),
        writes=[Path(target).parent for target in fit[:1]],
        stopped=stopped,
        on_stdout=lines.append,
    )
    if result.exit_code or not lines:
        raise MediaRefused(f"the picture cannot be decoded: {_end(result.exit_code)}")
    answer = json.loads(lines[0])
    if "errno" in answer:
        with translate_os_errors(Path(fit[0]).name if fit else path.name):
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "bug" in answer:
        _log.error("the picture decoder failed", extra={"trace": answer["bug"]})
        raise MediaRefused("the picture cannot be decoded")
    if "refused" in answer:
        raise MediaRefused(escaped(answer["refused"]))
    return ImageInfo(width=answer["width"], height=answer["height"], format=formats[answer["format"]])


def _end(exit_code: int) -> str:
    """Describe the end of a decoder that gave no answer."""
    names = {-number: number.name for number in signal.Signals}
    return f"its decoder ended with {names.get(exit_code, f'exit code {exit_code}')}"
