"""A picture on every frame of a segment: the argument list, pure, and its run."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.media import MediaLimits, Segment, VideoInfo
from facecli.core.placement import Oscillation, Placement
from facecli.media import commands
from facecli.media.run import Bounds, Ended, run

MICRO = 1_000_000
# What the scale filter calls a matrix. A file that names none is read as players read it, by its size.
_MATRICES = {
    "bt709": "bt709",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
    "smpte240m": "smpte240m",
    "fcc": "fcc",
    "smpte170m": "smpte170m",
    "bt470bg": "smpte170m",
}


def put_on(
    binary: Path,
    *,
    video: Path,
    segment: Segment,
    picture: Path,
    placement: Placement,
    output: Path,
    info: VideoInfo,
    limits: MediaLimits,
    bounds: Bounds,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Write the segment; again from the beginning of the file when starting at its key frame did not do."""

    def tried(key: Fraction | None) -> tuple[Ended, int]:
        done = 0

        def hear(line: str) -> None:
            nonlocal done
            done = commands.frames_done(line) or done
            if done > segment.frames:
                raise MediaRefused(f"the video has other frames than it said: more than {segment.frames}")
            progress(done)

        command = overlay(
            binary,
            video=video,
            segment=segment,
            key=key,
            picture=picture,
            placement=placement,
            output=output,
            info=info,
            limits=limits,
        )
        reads, writes = (video, picture), [output.parent]
        ended = run(command, bounds=bounds, reads=reads, writes=writes, stopped=stopped, on_output=hear)
        return ended, done

    ended, done = tried(segment.key)
    if segment.key is not None and (ended.exit_code or done != segment.frames):
        ended, done = tried(None)
    if ended.exit_code:
        raise MediaRefused(f"the video cannot be converted ({ended.words})")


def count_shown(
    binary: Path, video: Path, segment: Segment, info: VideoInfo, *, limits: MediaLimits, bounds: Bounds
) -> int:
    """Decode the segment from the beginning of the file, and nothing else."""
    done = 0

    def hear(line: str) -> None:
        nonlocal done
        done = commands.frames_done(line) or done

    frames = _times(commands.hardened_input(video, limits)["V:0"], segment, info)
    output = ffmpeg.output(frames, "-", format="null", fps_mode="passthrough")
    command = commands.compiled(output, binary, level="error", progress=True, own_clock=True)
    ended = run(command, bounds=bounds, reads=[video], on_output=hear)
    if ended.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({ended.words})")
    return done


def overlay(
    binary: Path,
    *,
    video: Path,
    segment: Segment,
    key: Fraction | None,
    picture: Path,
    placement: Placement,
    output: Path,
    info: VideoInfo,
    limits: MediaLimits,
) -> list[str]:
    """H.264 in an MP4 without sound, from 0 on: 4:2:0, which every player decodes, but 4:4:4 for an odd side.

    In 4:2:0 two pixels share a colour, and H.264 has no way to say that the last one is alone.
    """
    if info.rgb:
        info = replace(info, matrix="bt709", range="tv")
    seek: dict[str, Any] = {}
    if key is not None:
        # `trim` finds the first frame, on the file's own clock, which accurate seeking shifts.
        seek = {"seek_timestamp": 1, "noaccurate_seek": None, "ss": f"{ceil(key * MICRO)}us"}
    # `scale` does nothing unless the size changes midway. A graph built anew then would lose the picture.
    source = commands.hardened_input(video, limits, **{"reinit_filter:v": 0, **seek})
    frames = _times(source["V:0"], segment, info).filter("scale", info.width, info.height)
    if info.rgb:
        frames = frames.filter("scale", out_color_matrix="bt709", out_range="tv")
        frames = frames.filter("format", "yuv444p10le" if info.bits > 8 else "yuv444p")
        frames = frames.filter("setparams", colorspace=info.matrix, range=info.range)
    frames = frames.filter("format", _format(info)).overlay(
        _face(picture, info, limits),
        x=_expression(placement.x, segment.start - info.start),
        y=_expression(placement.y, segment.start - info.start),
        format="yuv420p10" if info.bits > 8 else "yuv420",
    )
    if info.width % 2 or info.height % 2:
        frames = frames.filter("format", _format(info).replace("420", "444"))
    # x264 leaves out that the range is the usual one.
    said_range = {"bsf:v": "h264_metadata=video_full_range_flag=0"} if info.range == "tv" else {}
    result = ffmpeg.output(
        frames,
        commands.file(output),
        format="mp4",
        map_metadata=-1,
        map_chapters=-1,
        fps_mode="passthrough",
        enc_time_base=f"1:{info.ticks}",
        video_track_timescale=info.ticks,
        **commands.h264(),
        **said_range,
    )
    return commands.compiled(result, binary, level="error", progress=True, own_clock=True)


def _times(frames: Any, segment: Segment, info: VideoInfo) -> Any:
    """The segment's frames alone, the first at 0, each at a whole number of ticks.

    ffmpeg's own choice, one tick per average frame, moves the frames of a video with a variable rate.
    """
    limits = {}
    if segment.before:
        limits["start"] = f"{_just_before(segment.start)}us"
    if segment.before + segment.frames < info.frames:
        limits["end"] = f"{_just_before(segment.end)}us"
    if limits:
        frames = frames.filter("trim", **limits)
    return frames.filter("settb", f"1/{info.ticks}").filter("setpts", "PTS-STARTPTS")


def _just_before(time: Fraction) -> int:
    """Microseconds, in which trim counts; no two frames are so close."""
    return floor(time * MICRO) - 1


def _face(picture: Path, info: VideoInfo, limits: MediaLimits) -> Any:
    """The picture in the colours of the video, tagged like it: overlay would convert what differs."""
    face = commands.hardened_input(picture, limits, formats="png_pipe", f="png_pipe", framerate=1)["v:0"]
    guessed = "bt709" if info.width >= 1280 or info.height > 576 else "smpte170m"
    face = face.filter(
        "scale", out_color_matrix=_MATRICES.get(info.matrix, guessed), out_range=info.range or "tv"
    )
    face = face.filter("format", "yuva420p10le" if info.bits > 8 else "yuva420p")
    return face.filter("setparams", range=info.range or "tv", colorspace=info.matrix or "unknown")


def _format(info: VideoInfo) -> str:
    if info.bits > 8:
        return "yuv420p10le"
    return "yuvj420p" if info.full_range else "yuv420p"


def _expression(swing: Oscillation, begin: Fraction) -> str:
    """The swing in ffmpeg's words, `t` seconds after the segment's begin. Numbers of ours, nothing else."""
    if not swing.reach:
        return f"{swing.middle:g}"
    turns = f"(t+{float(begin):.9f})/{swing.period:.9f}+{swing.phase:.9f}"
    return f"{swing.middle:.3f}+{swing.reach:.3f}*sin(2*PI*({turns}))"
