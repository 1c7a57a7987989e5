"""Sampled frames: some frames of a whole video, at the same places whenever they are read.

Theory of operation: the video is divided into intervals of equal length, and the first decoded frame in each
is taken: of a long video, key frames alone are decoded, and of one with many frames for each sample only the
frames that others need.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits, VideoInfo
from facecli.media.commands import compiled, hardened_input
from facecli.media.frames.commands import decoded_format, frame_layout
from facecli.media.frames.piped_program import piped
from facecli.media.frames.source import converted_info, whole_pictures
from facecli.media.run import ProcessLimits

MAX_DECODED_MEGAPIXELS = 2000  # of all frames together; two cores take a few seconds for them
MANY_FRAMES = 10  # for each sample; fewer may follow each other without one that others need

_ROUNDING = 0.01  # of an interval, for a frame that begins where an interval does


def sample_frames(
    binary: Path,
    video: Path,
    info: VideoInfo,
    *,
    count: int,
    limits: MediaLimits,
    process_limits: ProcessLimits,
    stopped: Callable[[], bool],
) -> Generator[bytearray, None, None]:
    """Yield the planes of at most `count` frames; MediaRefused if there is none."""
    command = sample_command(binary, video, info, count=count, limits=limits)
    size, taken = frame_layout(info).frame_bytes, 0
    with piped(command, limits=process_limits, reads=[video], stopped=stopped) as decoder:
        while taken < count and len(planes := decoder.read(size)) == size:
            taken += 1
            yield planes
        if not taken:
            raise MediaRefused(
                f"the video cannot be decoded ({decoder.wait().error_text or 'it has no frames'})"
            )


def sample_command(
    binary: Path, video: Path, info: VideoInfo, *, count: int, limits: MediaLimits
) -> list[str]:
    """Write the frames to stdout, in the planes that `rewrite_frames` uses."""
    interval = max(info.duration, 0.001) / count
    place = f"floor((t-{float(info.start):.6f})/{interval:.6f}+{_ROUNDING})"
    chosen = f"isnan(prev_selected_t)+gt({place},{place.replace('(t-', '(prev_selected_t-')})"
    options: dict[str, Any] = {"reinit_filter:v": 0}
    if is_long(info):
        options["skip_frame"] = "nokey"
    elif info.frames >= MANY_FRAMES * count:
        options["skip_frame"] = "noref"
    source = hardened_input(video, limits, **options)
    converted = converted_info(info)
    frames = whole_pictures(source["V:0"].filter("select", chosen), converted)
    frames = frames.filter("format", decoded_format(converted))
    output = ffmpeg.output(frames, "pipe:1", format="rawvideo", fps_mode="passthrough")
    return compiled(output, binary, level="error", own_clock=True, tolerant=True)


def is_long(info: VideoInfo) -> bool:
    return info.frames * info.width * info.height > MAX_DECODED_MEGAPIXELS * 1_000_000
