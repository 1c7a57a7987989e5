"""Argument lists for ffmpeg 5.1 and newer. Pure; no text of a user's enters one, inputs are paths of ours.

No `-frames:v` limit where there are several streams: with it ffmpeg 9 drops sparse ones. Who reads counts.
"""

from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.media import CLIP_RATE, MediaLimits

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
MAX_STREAMS = 16
MAX_BLOCK = 512 * 1024 * 1024  # bytes of memory at once: a frame fits, a packed index of 2 GB does not


def first_frame(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Decode one frame: stdout tells its upright size, stderr its looks and what the file says of itself."""
    shown = hardened_input(video, limits)["V:0"].filter("showinfo")
    output = ffmpeg.output(shown, "pipe:1", format="framecrc", **{"frames:v": 1})
    return compiled(output, binary, level="info", own_clock=True)


def packets(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Print every packet, decoding none, to a second past the limit; stream 0 is the picture."""
    source = hardened_input(video, limits)
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
    return compiled(output, binary, level="info", own_clock=True)


def clip(binary: Path, *, output: Path, seconds: int, width: int, height: int) -> list[str]:
    """A moving test pattern and a tone."""
    pattern = ffmpeg.input(f"testsrc2=size={width}x{height}:rate={CLIP_RATE}", f="lavfi", t=seconds)
    tone = ffmpeg.input("sine=frequency=440:sample_rate=48000", f="lavfi", t=seconds)
    result = ffmpeg.output(
        pattern["v"],
        tone["a"],
        file(output),
        format="mp4",
        movflags="+faststart",
        **h264(),
        pix_fmt="yuv420p",
        **{"c:a": "aac"},
    )
    return compiled(result, binary, level="error")


def frames_done(line: str) -> int | None:
    """The number in a `frame=…` line of `-progress`."""
    key, _, value = line.partition("=")
    return int(value) if key == "frame" and value.strip().isdecimal() else None


def h264() -> dict[str, Any]:
    """The same frames give the same bytes: with its lookahead in a thread of its own, x264 now and then
    decides otherwise at the end."""
    return {"c:v": "libx264", "preset": "veryfast", "crf": 20, "x264-params": "sync-lookahead=0"}


def hardened_input(path: Path, limits: MediaLimits, *, formats: str = FORMATS, **options: Any) -> Any:
    """An input, with what keeps a hostile one from other files, from the network, and from all the memory."""
    return ffmpeg.input(
        file(path),
        **options,
        max_pixels=limits.max_pixels,
        max_streams=MAX_STREAMS,
        probesize="5M",
        analyzeduration="10M",
        protocol_whitelist="file",
        format_whitelist=formats,
    )


def file(path: Path) -> str:
    return f"file:{path.absolute()}"


def compiled(
    output: Any, binary: Path, *, level: str, progress: bool = False, own_clock: bool = False
) -> list[str]:
    """`own_clock` leaves times as the file has them, or they would count from where reading began."""
    command = [str(binary), "-nostdin", "-hide_banner", "-nostats", "-v", f"level+{level}", "-xerror"]
    command += ["-max_alloc", str(MAX_BLOCK)]
    if progress:
        command += ["-progress", "pipe:1", "-stats_period", "0.1"]
    if own_clock:
        command += ["-copyts"]
    arguments: list[str] = ffmpeg.compile(output, cmd=command, overwrite_output=True)
    return arguments
