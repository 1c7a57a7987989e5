"""Compose a contact sheet: the command, pure, and its run.

Theory of operation: one ffmpeg in the sandbox decodes every frame and lays it on the canvas, which is ours
and has the words. A frame that cannot be decoded leaves its cell empty. If ffmpeg fails as a whole, the
frames of the user's file are left out: those of the result, which facecli wrote, are worth a sheet.
"""

from collections.abc import Callable, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits
from facecli.core.video.plan import MICROSECONDS, VideoInfo
from facecli.core.video.sheet import Comparison, Still
from facecli.media.commands import compiled, file_url, hardened_input
from facecli.media.frames.source import converted_info
from facecli.media.run import ProcessLimits, run
from facecli.media.sheet.canvas import Canvas, canvas_for

CANVAS_NAME = "canvas.png"
_PROCESS_LIMITS = ProcessLimits(seconds=120, file_size=64 * 1024**2)


def compose_sheet(
    binary: Path,
    info: VideoInfo,
    comparisons: Sequence[Comparison],
    output: Path,
    *,
    limits: MediaLimits,
    stopped: Callable[[], bool],
) -> None:
    """Write a JPEG."""
    canvas = canvas_for(info.width, info.height, [f"{float(each.time):.2f} s" for each in comparisons])
    drawn = output.with_name(CANVAS_NAME)
    canvas.draw(drawn)
    try:
        for columns in (("before", "after"), ("after",)):
            cells = {
                canvas.place(row, ("before", "after").index(column)): getattr(comparison, column)
                for row, comparison in enumerate(comparisons)
                for column in columns
            }
            result = run(
                sheet_command(binary, info, canvas, drawn, cells, output, limits=limits),
                limits=_PROCESS_LIMITS,
                reads=[drawn, *{still.video for still in cells.values()}],
                writes=[output.parent],
                stopped=stopped,
            )
            if not result.exit_code and output.exists() and output.stat().st_size:
                return
    finally:
        drawn.unlink(missing_ok=True)
    raise MediaRefused(f"the contact sheet cannot be made ({result.error_text or 'it is empty'})")


def sheet_command(
    binary: Path,
    info: VideoInfo,
    canvas: Canvas,
    drawn: Path,
    cells: dict[tuple[int, int], Still],
    output: Path,
    *,
    limits: MediaLimits,
) -> list[str]:
    """Lay every frame on its cell of the canvas."""
    sheet = hardened_input(drawn, limits, formats=("png_pipe",), f="png_pipe")["v:0"].filter("format", "gbrp")
    places: dict[Still, list[tuple[int, int]]] = {}
    for place, still in cells.items():
        places.setdefault(still, []).append(place)
    for still, found in places.items():
        frame = _fitted(_frame(still, info, limits), canvas)
        copies = frame.filter_multi_output("split", len(found)) if len(found) > 1 else [frame]
        for index, (x, y) in enumerate(found):
            sheet = ffmpeg.overlay(sheet, copies[index], eof_action="pass", x=x, y=y, format="gbrp")
    result = ffmpeg.output(
        sheet.filter("format", "yuvj420p"),
        file_url(output),
        format="mjpeg",
        map_metadata=-1,
        **{"c:v": "mjpeg", "q:v": 3, "frames:v": 1, "flags:v": "+bitexact"},
    )
    return compiled(result, binary, level="error", own_clock=True, tolerant=True)


def _frame(still: Still, info: VideoInfo, limits: MediaLimits) -> Any:
    """Return the one frame, at time 0."""
    if still.raw:
        info = converted_info(info)
        source = hardened_input(still.video, limits, formats=("nut",), f="nut")["v:0"]
        return source.filter("setparams", range=info.range or "unknown", colorspace=info.matrix or "unknown")
    seek: dict[str, Any] = {}
    if still.key is not None:
        seek = {"seek_timestamp": 1, "noaccurate_seek": None, "ss": f"{ceil(still.key * MICROSECONDS)}us"}
    # One thread: every decoder keeps frames of full size for each of its threads.
    source = hardened_input(still.video, limits, threads=1, **{"reinit_filter:v": 0, **seek})["V:0"]
    start, end = (floor(time * MICROSECONDS) - 1 for time in (still.start, still.end))
    frames = source.filter("trim", start=f"{start}us", end=f"{end}us")
    return frames.filter("trim", end_frame=1).filter("setpts", 0)


def _fitted(frame: Any, canvas: Canvas) -> Any:
    """Return the frame with square pixels, scaled into a cell, its own shape kept."""
    width, height = canvas.cell_width, canvas.cell_height
    square = frame.filter("scale", "max(1,round(iw*sar))", "ih").filter("setsar", 1)
    inside = square.filter("scale", width, height, force_original_aspect_ratio="decrease")
    return inside.filter("format", "gbrp").filter("pad", width, height, -1, -1, color="black")
