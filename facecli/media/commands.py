"""Argument lists for ffmpeg 5.1 and newer. Pure; no text of a user's enters one, inputs are paths of ours.

No `-frames:v` limit where there are several streams: with it ffmpeg 9 drops sparse ones. Who reads counts.
"""

from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.media import Box, MediaLimits

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
MAX_STREAMS = 16
CLIP_RATE = 25  # frames per second

# Per second; timestamps of results count in these. Exact for 23.976 to 120 frames per second and for
# milliseconds, and hours between two frames still fit MP4's 32 bits. ffmpeg's own choice, one tick per
# average frame, moves the frames of a video with a variable rate.
TICKS = 120_000

_PLAYABLE_SOUND = frozenset({"aac", "mp3"})  # in an MP4, by every browser


def first_frame(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Decode one frame: stdout tells its upright size, stderr what the file says of itself."""
    output = ffmpeg.output(_video(video, limits)["V:0"], "pipe:1", format="framecrc", **{"frames:v": 1})
    return _compiled(output, binary, level="info")


def packets(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Print every packet, decoding none, to a second past the limit; stream 0 is the picture."""
    source = _video(video, limits)
    output = ffmpeg.output(
        source["V:0"],
        source["a?"],
        source["s?"],
        source["d?"],
        "pipe:1",
        format="framecrc",
        c="copy",
        t=limits.max_seconds + 1,
    )
    return _compiled(output, binary, level="info")


def overlay(
    binary: Path,
    *,
    video: Path,
    picture: Path,
    box: Box,
    output: Path,
    width: int,
    height: int,
    sound: str | None,
    limits: MediaLimits,
) -> list[str]:
    """Put a PNG on every frame of a `width` × `height` video, timestamps kept; H.264 and sound in an MP4.

    H.264 that every player decodes (4:2:0) has even sides only: an odd one grows by a pixel, its edge
    repeated. The first sound track is copied if it is AAC or MP3; every other one becomes AAC.
    """
    source = _video(video, limits, **{"reinit_filter:v": 0})
    face = ffmpeg.input(_file(picture), f="png_pipe", framerate=1, **_walls("png_pipe", limits))
    # `scale` does nothing unless the size changes midway. A graph built anew then would lose the picture.
    frames = source["V:0"].filter("scale", width, height).overlay(face["v:0"], x=box.x, y=box.y)
    if width % 2 or height % 2:
        frames = frames.filter("pad", width + width % 2, height + height % 2).filter(
            "fillborders", right=width % 2, bottom=height % 2, mode="smear"
        )
    first_sound = {"c:a:0": "copy"} if sound in _PLAYABLE_SOUND else {}
    result = ffmpeg.output(
        frames,
        source["a?"],
        _file(output),
        format="mp4",
        t=limits.max_seconds + 1,
        map_metadata=-1,
        map_chapters=-1,
        movflags="+faststart",
        fps_mode="passthrough",
        enc_time_base=f"1:{TICKS}",
        video_track_timescale=TICKS,
        **_h264(),
        **{"c:a": "aac"},
        **first_sound,
    )
    return _compiled(result, binary, level="error", progress=True)


def clip(binary: Path, *, output: Path, seconds: int, width: int, height: int) -> list[str]:
    """A moving test pattern and a tone."""
    pattern = ffmpeg.input(f"testsrc2=size={width}x{height}:rate={CLIP_RATE}", f="lavfi", t=seconds)
    tone = ffmpeg.input("sine=frequency=440:sample_rate=48000", f="lavfi", t=seconds)
    result = ffmpeg.output(
        pattern["v"],
        tone["a"],
        _file(output),
        format="mp4",
        movflags="+faststart",
        **_h264(),
        **{"c:a": "aac"},
    )
    return _compiled(result, binary, level="error")


def frames_done(line: str) -> int | None:
    """The number in a `frame=…` line of `-progress`."""
    key, _, value = line.partition("=")
    return int(value) if key == "frame" and value.strip().isdecimal() else None


def _h264() -> dict[str, Any]:
    return {"c:v": "libx264", "preset": "veryfast", "crf": 20, "pix_fmt": "yuv420p"}


def _video(path: Path, limits: MediaLimits, **options: Any) -> Any:
    return ffmpeg.input(_file(path), **_walls(FORMATS, limits), **options)


def _walls(formats: str, limits: MediaLimits) -> dict[str, Any]:
    """What keeps a hostile input from reading other files, from the network, and from filling the memory."""
    return {
        "max_pixels": limits.max_pixels,
        "max_streams": MAX_STREAMS,
        "probesize": "5M",
        "analyzeduration": "10M",
        "protocol_whitelist": "file",
        "format_whitelist": formats,
    }


def _file(path: Path) -> str:
    return f"file:{path.absolute()}"


def _compiled(output: Any, binary: Path, *, level: str, progress: bool = False) -> list[str]:
    command = [str(binary), "-nostdin", "-hide_banner", "-nostats", "-v", f"level+{level}", "-xerror"]
    if progress:
        command += ["-progress", "pipe:1", "-stats_period", "0.1"]
    arguments: list[str] = ffmpeg.compile(output, cmd=command, overwrite_output=True)
    return arguments
