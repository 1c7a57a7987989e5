"""The frames of a segment as a part of ffmpeg's filter graph, on the clock of their file. Pure.

`trim` and all times are on the file's own clock (`-copyts`), because accurate seeking shifts it. Interlaced
frames are deinterlaced, one for one: a face needs whole pictures, and browsers would show the combing.
"""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from facecli.core.video.media import MediaLimits, Segment, VideoInfo
from facecli.media.commands import hardened_input

MICROSECONDS = 1_000_000  # per second
_MIN_DEINTERLACED_SIDE = 4  # pixels; the deinterlacer refuses less


def converted_info(info: VideoInfo) -> VideoInfo:
    """Return the colours that `upright_frames` yields: RGB becomes BT.709."""
    return replace(info, matrix="bt709", range="tv") if info.rgb else info


def opened(video: Path, key: Fraction | None, limits: MediaLimits) -> Any:
    """Return the video's picture from a key frame on; None opens it at its beginning."""
    seek: dict[str, Any] = {}
    if key is not None:
        # `trim` selects the first frame on the file's own clock, which accurate seeking would shift.
        seek = {"seek_timestamp": 1, "noaccurate_seek": None, "ss": f"{ceil(key * MICROSECONDS)}us"}
    # `scale` acts only if the size changes midway; rebuilding the graph then would lose other inputs.
    return hardened_input(video, limits, **{"reinit_filter:v": 0, **seek})["V:0"]


def trimmed(frames: Any, segment: Segment, info: VideoInfo) -> Any:
    """Return the segment's frames alone, each at a whole number of ticks.

    ffmpeg's own choice, one tick per average frame, would move the frames of a video with a variable rate.
    """
    bounds = {}
    if segment.before:
        bounds["start"] = f"{_just_before(segment.start)}us"
    if segment.before + segment.frames < info.frames:
        bounds["end"] = f"{_just_before(segment.end)}us"
    if bounds:
        frames = frames.filter("trim", **bounds)
    return frames.filter("settb", f"1/{info.ticks}")


def whole_pictures(frames: Any, info: VideoInfo) -> Any:
    """Return frames of one size, YUV, each a whole picture.

    Frames that are marked as interlaced are deinterlaced, others pass unchanged.
    """
    frames = frames.filter("scale", info.width, info.height, interl=-1)
    if min(info.width, info.height) >= _MIN_DEINTERLACED_SIDE:
        deinterlaced = frames.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
        frames = deinterlaced.filter("settb", f"1/{info.ticks}")
    if info.rgb:
        frames = frames.filter("scale", out_color_matrix="bt709", out_range="tv")
        frames = frames.filter("format", "yuv444p10le" if info.bits > 8 else "yuv444p")
        frames = frames.filter("setparams", colorspace="bt709", range="tv")
    return frames


def _just_before(time: Fraction) -> int:
    """Return the time less one microsecond, the unit of `trim`; no two frames are that close."""
    return floor(time * MICROSECONDS) - 1
