"""Join swapped segments and the sound of their video into one file: the command, pure, and its run."""

import os
from collections.abc import Callable, Mapping, Sequence
from math import floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.video.formats import by_family, demuxers
from facecli.core.video.media import MediaLimits, Segment, VideoPlan
from facecli.media.commands import compiled, file_url, hardened_input
from facecli.media.run import ProcessLimits, run

MICROSECONDS = 1_000_000  # per second
LIST_NAME = "parts.ffconcat"
_LONG_FRAMES = 2  # average frames
_MP4_DEMUXERS = demuxers(by_family("MP4"))


def join_segments(
    binary: Path,
    *,
    parts: Sequence[Path],
    sound: Path,
    plan: VideoPlan,
    output: Path,
    metadata: Mapping[str, str],
    limits: MediaLimits,
    process_limits: ProcessLimits,
    stopped: Callable[[], bool],
) -> None:
    """Write `output`. The names of the parts are ours and contain no space. `sound` is empty without any."""
    part_list = output.with_name(LIST_NAME)
    relative = [os.path.relpath(part, part_list.parent) for part in parts]  # no user's directory in the list
    part_list.write_text(concat_list(relative, plan.segments))
    has_sound = sound.stat().st_size > 0
    command = join_command(
        binary,
        part_list=part_list,
        sound=sound if has_sound else None,
        output=output,
        plan=plan,
        metadata=metadata,
        limits=limits,
    )
    try:
        result = run(
            command,
            limits=process_limits,
            reads=(part_list, sound, *parts),
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
    binary: Path,
    *,
    part_list: Path,
    sound: Path | None,
    output: Path,
    plan: VideoPlan,
    metadata: Mapping[str, str],
    limits: MediaLimits,
) -> list[str]:
    """Copy the frames of the parts and the extracted sound, each at its time since the origin."""
    info = plan.info
    offset = plan.start - plan.origin
    formats = ("concat", *_MP4_DEMUXERS)
    pictures = hardened_input(
        part_list, limits, formats=formats, f="concat", safe=0, itsoffset=f"{floor(offset * MICROSECONDS)}us"
    )
    tracks: list[Any] = [pictures["v:0"]]
    if sound:
        tracks.append(hardened_input(sound, limits, formats=_MP4_DEMUXERS)["a"])
    result = ffmpeg.output(
        *tracks,
        file_url(output),
        format="mp4",
        c="copy",
        t=limits.max_seconds + 1,
        map_chapters=-1,
        # Without the tags of its own, an MP4 holds only keys that ffmpeg knows.
        movflags="+faststart+use_metadata_tags" if metadata else "+faststart",
        movie_timescale=info.ticks,
        video_track_timescale=info.ticks,
        strict="experimental",  # ffmpeg 5 requires it for FLAC in an MP4
        **{"map_metadata:g": -1, "bsf:v": _frame_times(plan)},
    )
    command = compiled(result, binary, level="error", own_clock=True)
    entries = (word for name, value in metadata.items() for word in ("-metadata", f"{name}={value}"))
    at = command.index(file_url(output))
    return [*command[:at], *entries, *command[at:]]


def _frame_times(plan: VideoPlan) -> str:
    """Return the filter that makes decoding times rise, and restores the length of the last frame.

    A frame in decoding order may be due later than the next segment's first, when frames come faster before
    the border than after it. Decoders need it due before; the time at which a frame is shown stays. The
    length of the last frame is lost in encoding: the last one shown ends the video, and if it is a long one,
    the last one stored too, since ffmpeg measures the length of an MP4's track by that.
    """
    info = plan.info
    last, end = (round((time - plan.origin) * info.ticks) for time in (plan.last, plan.end))
    is_last = f"gte(PTS+1\\,{last})"
    if plan.end - plan.last > _LONG_FRAMES / info.rate:
        is_last += f"+gte(N\\,{plan.frames - 1})"
    length = f"if({is_last}\\,{end}-PTS\\,DURATION)"
    return f"setts=pts=PTS:dts=max(DTS\\,PREV_OUTDTS+1):duration={length}"
