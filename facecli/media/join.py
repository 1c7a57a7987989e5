"""Join swapped segments and the sound of their video into one file: the command, pure, and its run."""

import os
from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.video.formats import by_family, demuxers
from facecli.core.video.media import MediaLimits, Segment, Sound, VideoInfo, VideoPlan
from facecli.media.commands import compiled, file_url, hardened_input
from facecli.media.run import ProcessLimits, run

MICROSECONDS = 1_000_000  # per second
LIST_NAME = "parts.ffconcat"
# Codecs that an MP4 can hold, by https://mp4ra.org/registered-types/codecs; the rest becomes AAC.
_MP4_CODECS = frozenset({"aac", "ac3", "alac", "dts", "eac3", "flac", "mp3", "opus"})
_STEREO = frozenset({"mono", "stereo"})
# A frame in decoding order may be due later than the next segment's first, when frames come faster before the
# border than after it. Decoders need it due before; the time at which a frame is shown stays.
_RISING_DTS = "setts=pts=PTS:dts=max(DTS\\,PREV_OUTDTS+1)"


def join_segments(
    binary: Path,
    *,
    video: Path,
    parts: Sequence[Path],
    plan: VideoPlan,
    output: Path,
    limits: MediaLimits,
    process_limits: ProcessLimits,
    stopped: Callable[[], bool],
) -> None:
    """Write `output`. The names of the parts are ours and contain no space."""
    part_list = output.with_name(LIST_NAME)
    relative = [os.path.relpath(part, part_list.parent) for part in parts]  # no user's directory in the list
    part_list.write_text(concat_list(relative, plan.segments))
    command = join_command(
        binary, part_list=part_list, video=video, output=output, info=plan.info, limits=limits
    )
    try:
        result = run(
            command,
            limits=process_limits,
            reads=(part_list, video, *parts),
            writes=[output.parent],
            stopped=stopped,
        )
    finally:
        part_list.unlink()
    if result.exit_code:
        raise MediaRefused(f"the segments of the swapped video cannot be joined ({result.error_text})")


def concat_list(parts: Sequence[str], segments: Sequence[Segment]) -> str:
    """Return the input of the concat demuxer.

    It adds up durations: each is the difference of two rounded times, so that errors do not accumulate.
    """
    lines = ["ffconcat version 1.0"]
    first = segments[0].start
    for part, segment in zip(parts, segments, strict=True):
        length = floor((segment.end - first) * MICROSECONDS) - floor((segment.start - first) * MICROSECONDS)
        lines += [f"file {part}", f"duration {length}us"]
    return "\n".join(lines) + "\n"


def join_command(
    binary: Path, *, part_list: Path, video: Path, output: Path, info: VideoInfo, limits: MediaLimits
) -> list[str]:
    """Copy the frames of the parts, and copy or convert to AAC every sound track of the video."""
    offset = floor((info.start - info.origin) * MICROSECONDS)
    formats = ("concat", *demuxers(by_family("MP4")))
    pictures = hardened_input(part_list, limits, formats=formats, f="concat", safe=0, itsoffset=f"{offset}us")
    options: dict[str, Any] = {}
    for index, sound in enumerate(info.sounds):
        options |= _sound_options(index, sound)
    result = ffmpeg.output(
        pictures["v:0"],
        hardened_input(video, limits)["a?"],
        file_url(output),
        format="mp4",
        t=limits.max_seconds + 1,
        map_metadata=-1,
        map_chapters=-1,
        movflags="+faststart",
        strict="experimental",  # ffmpeg 5 requires it for FLAC in an MP4
        video_track_timescale=info.ticks,
        **{"c:v": "copy", "bsf:v": _RISING_DTS},
        **options,
    )
    return compiled(result, binary, level="error")


def _sound_options(index: int, sound: Sound) -> dict[str, Any]:
    track = f"a:{index}"
    options: dict[str, Any] = {f"c:{track}": "copy" if sound.codec in _MP4_CODECS else "aac"}
    if options[f"c:{track}"] == "aac":
        options[f"b:{track}"] = "192k" if sound.layout in _STEREO else "448k"
    if sound.language:
        options[f"metadata:s:{track}"] = f"language={sound.language}"
    return options
