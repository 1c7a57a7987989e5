"""Swapped segments and the sound of their video in one file: the argument list, pure, and its run."""

import os
from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.media import MediaLimits, Segment, Sound, VideoInfo, VideoPlan
from facecli.media import commands
from facecli.media.run import Bounds, run

MICRO = 1_000_000
LIST = "parts.ffconcat"
FORMATS = "concat,mov,mp4,m4a,3gp,3g2,mj2"
# What an MP4 holds, by https://mp4ra.org/registered-types/codecs; the rest becomes AAC.
_HELD = frozenset({"aac", "ac3", "alac", "dts", "eac3", "flac", "mp3", "opus"})
_STEREO = frozenset({"mono", "stereo"})
# A frame in decoding order may be due later than the next segment's first, when frames come faster before the
# border than after it. Decoders need it due before; when a frame is shown stays.
_IN_ORDER = "setts=pts=PTS:dts=max(DTS\\,PREV_OUTDTS+1)"


def put_together(
    binary: Path,
    *,
    video: Path,
    parts: Sequence[Path],
    plan: VideoPlan,
    output: Path,
    limits: MediaLimits,
    bounds: Bounds,
    stopped: Callable[[], bool],
) -> None:
    """Parts are called by names of ours, without a space."""
    names = output.with_name(LIST)
    beside = [os.path.relpath(part, names.parent) for part in parts]  # no directory of a user's in the list
    names.write_text(listing(beside, plan.segments))
    try:
        command = join(binary, names=names, video=video, output=output, info=plan.info, limits=limits)
        ended = run(
            command,
            bounds=bounds,
            reads=(names, video, *parts),
            writes=[output.parent],
            stopped=stopped,
        )
    finally:
        names.unlink()
    if ended.exit_code:
        raise MediaRefused(f"the swapped video cannot be put together ({ended.words})")


def listing(parts: Sequence[str], segments: Sequence[Segment]) -> str:
    """What the concat demuxer reads. It adds durations up: each is the difference of two rounded times."""
    lines = ["ffconcat version 1.0"]
    first = segments[0].start
    for part, segment in zip(parts, segments, strict=True):
        length = floor((segment.end - first) * MICRO) - floor((segment.start - first) * MICRO)
        lines += [f"file {part}", f"duration {length}us"]
    return "\n".join(lines) + "\n"


def join(
    binary: Path, *, names: Path, video: Path, output: Path, info: VideoInfo, limits: MediaLimits
) -> list[str]:
    """The pictures as they are, and every sound track of the video: copied, or as AAC."""
    offset = floor((info.start - info.origin) * MICRO)
    pictures = commands.hardened_input(
        names, limits, formats=FORMATS, f="concat", safe=0, itsoffset=f"{offset}us"
    )
    options: dict[str, Any] = {}
    for index, sound in enumerate(info.sounds):
        options |= _sound(index, sound)
    result = ffmpeg.output(
        pictures["v:0"],
        commands.hardened_input(video, limits)["a?"],
        commands.file(output),
        format="mp4",
        t=limits.max_seconds + 1,
        map_metadata=-1,
        map_chapters=-1,
        movflags="+faststart",
        strict="experimental",  # what ffmpeg 5 calls FLAC in an MP4
        video_track_timescale=info.ticks,
        **{"c:v": "copy", "bsf:v": _IN_ORDER},
        **options,
    )
    return commands.compiled(result, binary, level="error")


def _sound(index: int, sound: Sound) -> dict[str, Any]:
    track = f"a:{index}"
    options: dict[str, Any] = {f"c:{track}": "copy" if sound.codec in _HELD else "aac"}
    if options[f"c:{track}"] == "aac":
        options[f"b:{track}"] = "192k" if sound.layout in _STEREO else "448k"
    if sound.language:
        options[f"metadata:s:{track}"] = f"language={sound.language}"
    return options
