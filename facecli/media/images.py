"""Users' pictures, decoded and fitted in a sandboxed child process."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.os_errors import translate_os_errors
from facecli.core.printable import escaped
from facecli.core.video.formats import FormatKind, of_kind, readable_list
from facecli.core.video.frames import Picture
from facecli.core.video.media import ImageInfo, MediaLimits, never
from facecli.media.frames.piped_program import piped
from facecli.media.run import ProcessLimits, run
from facecli.media.stderr import MAX_LINE_BYTES

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


def read_picture(
    path: Path,
    limits: MediaLimits,
    *,
    max_side: int,
    stopped: Callable[[], bool] = never,
    command: Sequence[str] | None = None,
) -> Picture:
    """Decode the whole picture to pixels; `command` runs another program as the decoder."""
    decoder = _Decoder(path, limits, str(max_side))
    with piped(
        command or decoder.command,
        limits=_PROCESS_LIMITS,
        reads=decoder.reads,
        stopped=stopped,
        max_unread=0,
    ) as program:
        line = bytearray()
        while len(line) < MAX_LINE_BYTES and (byte := program.read(1)) and byte != b"\n":
            line += byte
        if not byte:
            decoder.answered([], program.wait().exit_code)
        info = decoder.answered([line.decode(errors="replace")], 0)
        if not (0 < info.width <= max_side and 0 < info.height <= max_side):
            raise MediaRefused("the picture cannot be decoded: its decoder printed a wrong size")
        size = 3 * info.width * info.height
        pixels = program.read(size)
        exit_code = program.wait().exit_code
    if exit_code or len(pixels) != size:
        raise MediaRefused(f"the picture cannot be decoded: {_end(exit_code)}")
    return Picture(width=info.width, height=info.height, pixels=bytes(pixels))


def _decode(path: Path, limits: MediaLimits, *fit: str, stopped: Callable[[], bool] = never) -> ImageInfo:
    decoder = _Decoder(path, limits, *fit)
    lines: list[str] = []
    result = run(
        decoder.command,
        limits=_PROCESS_LIMITS,
        reads=decoder.reads,
        writes=[Path(target).parent for target in fit[:1]],
        stopped=stopped,
        on_stdout=lines.append,
    )
    return decoder.answered(lines, result.exit_code)


class _Decoder:
    """The script that decodes a picture: its command, and its answer."""

    def __init__(self, path: Path, limits: MediaLimits, *wanted: str) -> None:
        pillow = find_spec("PIL")
        assert pillow and pillow.origin
        script, packages = Path(__file__).with_name("picture") / "decode.py", Path(pillow.origin).parents[1]
        self._formats = {entry.pillow: entry.family for entry in of_kind(FormatKind.IMAGE)}
        self._written = Path(wanted[0]).name if len(wanted) == 3 else path.name
        self.reads = (script.parent, packages, path)
        self.command = [
            sys.executable,
            "-I",
            str(script),
            str(packages),
            str(limits.max_pixels),
            ",".join(self._formats),
            readable_list(FormatKind.IMAGE),
            str(path.absolute()),
            *wanted,
        ]

    def answered(self, lines: list[str], exit_code: int) -> ImageInfo:
        if exit_code or not lines:
            raise MediaRefused(f"the picture cannot be decoded: {_end(exit_code)}")
        answer = json.loads(lines[0])
        if "errno" in answer:
            with translate_os_errors(self._written):
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
        if "bug" in answer:
            _log.error("the picture decoder failed", extra={"trace": answer["bug"]})
            raise MediaRefused("the picture cannot be decoded")
        if "refused" in answer:
            raise MediaRefused(escaped(answer["refused"]))
        return ImageInfo(
            width=answer["width"], height=answer["height"], format=self._formats[answer["format"]]
        )


def _end(exit_code: int) -> str:
    """Describe the end of a decoder that gave no answer."""
    names = {-number: number.name for number in signal.Signals}
    return f"its decoder ended with {names.get(exit_code, f'exit code {exit_code}')}"
