"""Argument lists for ffmpeg 5.1 and newer. Pure: no user's text enters one, and inputs are paths of ours.

No `-frames:v` limit with several streams: with it, ffmpeg 9 drops sparse ones. The caller counts frames.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.video.formats import demuxers
from facecli.core.video.media import CLIP_RATE, MediaLimits

# Streams of any kind in one file. A probe of 100 takes 115 MB in ffmpeg 5.1, one of 300 takes 240 MB.
MAX_STREAMS = 100
# Times that go back would end a listing; as in ffmpeg's own `-c copy`, they stop until the clock catches up.
_RISING_TIMES = (
    "setts=dts=max(DTS\\,PREV_OUTDTS):pts=if(eq(PTS\\,NOPTS)\\,NOPTS\\,max(PTS\\,max(DTS\\,PREV_OUTDTS)))"
)
# Bytes in one piece: enough for a frame, not for a compressed index of 2 GB.
MAX_ALLOCATION = 512 * 1024 * 1024


def first_frame_command(binary: Path, video: Path, limits: MediaLimits) -> list[str]:
    """Decode one frame: its properties, the probe log and the picture's stream number go to stderr."""
    frame = hardened_input(video, limits)["V:0"].filter("showinfo")
    output = ffmpeg.output(frame, "-", format="null", **{"frames:v": 1})
    return compiled(output, binary, level="info", own_clock=True)


def packets_command(
    binary: Path, video: Path, limits: MediaLimits, *, maps: Sequence[str] = ("0",)
) -> list[str]:
    """List every packet of the mapped streams, without decoding."""
    output = ffmpeg.output(
        hardened_input(video, limits),
        "pipe:1",
        format="framecrc",
        c="copy",
        bsf=_RISING_TIMES,
        ignore_unknown=None,
    )
    command = compiled(output, binary, level="info", own_clock=True)
    at = command.index("pipe:1")
    return [*command[:at], *(word for stream in maps for word in ("-map", stream)), *command[at:]]


def metadata_command(binary: Path, video: Path, limits: MediaLimits, *, streams: Iterable[int]) -> list[str]:
    """Print the metadata of these streams, in this order."""
    source = hardened_input(video, limits)
    output = ffmpeg.output(
        *(source[str(stream)] for stream in streams), "pipe:1", format="ffmetadata", c="copy", frames=0
    )
    return compiled(output, binary, level="error")


def clip_command(binary: Path, *, output: Path, seconds: int, width: int, height: int) -> list[str]:
    """Generate a moving test pattern and a tone."""
    pattern = ffmpeg.input(f"testsrc2=size={width}x{height}:rate={CLIP_RATE}", f="lavfi", t=seconds)
    return compiled(encoded_sample(pattern["v"], output, seconds), binary, level="error")


def encoded_sample(pictures: Any, output: Path, seconds: int) -> Any:
    """Encode generated pictures with a tone."""
    tone = ffmpeg.input("sine=frequency=440:sample_rate=48000", f="lavfi", t=seconds)
    return ffmpeg.output(
        pictures,
        tone["a"],
        file_url(output),
        format="mp4",
        movflags="+faststart",
        **h264_options(),
        pix_fmt="yuv420p",
        **{"c:a": "aac"},
    )


def parse_frames_done(line: str) -> int | None:
    """Return the number in a `frame=…` line of `-progress`."""
    key, _, value = line.partition("=")
    return int(value) if key == "frame" and value.strip().isdecimal() else None


def h264_options() -> dict[str, Any]:
    """Options that encode the same frames to the same bytes.

    With its lookahead in a thread of its own, x264 sometimes decides differently at the end. By default its
    threads fit the cores of the machine, and it decides by their number: a task that goes on at another
    machine would have another result, and with more threads it holds more frames. Two keep up with an engine.
    """
    return {"c:v": "libx264", "preset": "veryfast", "crf": 20, "x264-params": "sync-lookahead=0:threads=2"}


def hardened_input(
    path: Path, limits: MediaLimits, *, formats: tuple[str, ...] | None = None, **options: Any
) -> Any:
    """Return an input with allowlists and limits, against files that name others, or exhaust the memory.

    `formats` are the allowed demuxers, by default those of the table of formats.
    """
    return ffmpeg.input(
        file_url(path),
        **options,
        max_pixels=limits.max_pixels,
        max_streams=MAX_STREAMS,
        probesize="5M",
        analyzeduration="10M",
        protocol_whitelist="file",
        format_whitelist=",".join(formats or demuxers()),
    )


def file_url(path: Path) -> str:
    return f"file:{path.absolute()}"


def compiled(
    output: Any,
    binary: Path,
    *,
    level: str,
    progress: bool = False,
    own_clock: bool = False,
    tolerant: bool = False,
) -> list[str]:
    """Return the arguments. `own_clock` keeps the file's own times, else they count from the seek point.

    `tolerant` goes on after errors of decoding and timing, as ffmpeg does by default.
    """
    command = [str(binary), "-nostdin", "-hide_banner", "-nostats", "-v", f"level+{level}"]
    if not tolerant:
        command += ["-xerror"]
    command += ["-max_alloc", str(MAX_ALLOCATION)]
    if progress:
        command += ["-progress", "pipe:1", "-stats_period", "0.1"]
    if own_clock:
        command += ["-copyts"]
    arguments: list[str] = ffmpeg.compile(output, cmd=command, overwrite_output=True)
    return arguments
