"""Argument lists of ffmpeg for raw frames: one decodes a segment to a pipe, one encodes from a pipe. Pure."""

from fractions import Fraction
from pathlib import Path

import ffmpeg

from facecli.core.video.frames import FrameLayout
from facecli.core.video.media import FramesJob, MediaLimits, Segment, VideoInfo
from facecli.media.commands import compiled, file_url, h264_options
from facecli.media.frames.frame_log import LoggedFrame
from facecli.media.frames.source import converted_info, opened, trimmed, whole_pictures

# A time that two frames share, or that goes back, becomes a tick later than the one before.
_RISING = "if(N,max(PTS,PREV_OUTPTS+1),PTS)"


def frame_layout(info: VideoInfo) -> FrameLayout:
    """Return the video's own planes: 4:2:0, 4:2:2 or 4:4:4, and 10 bits where it has more than 8."""
    info = converted_info(info)
    return FrameLayout(
        width=info.width,
        height=info.height,
        bits=info.bits,
        column_step=1 if info.subsampling == "444" else 2,
        row_step=2 if info.subsampling == "420" else 1,
        matrix=info.matrix,
        full_range=info.full_range,
    )


def decode_command(
    binary: Path, job: FramesJob, segment: Segment, *, key: Fraction | None, limits: MediaLimits
) -> list[str]:
    """Write the frames of a segment to stdout, and a line of `showinfo` for each to stderr before it."""
    info = converted_info(job.info)
    frames = trimmed(opened(job.video, key, limits), segment, info).filter("setpts", _RISING)
    frames = whole_pictures(frames, info).filter("format", decoded_format(info))
    output = ffmpeg.output(
        frames.filter("showinfo", checksum=0), "pipe:1", format="rawvideo", fps_mode="passthrough"
    )
    return compiled(output, binary, level="info", own_clock=True)


def encode_command(binary: Path, job: FramesJob, first: LoggedFrame) -> list[str]:
    """Encode NUT from stdin as the overlay is encoded: H.264 in an MP4, 4:4:4 for a side that H.264 lacks."""
    info = converted_info(job.info)
    source = ffmpeg.input(
        "pipe:0",
        format="nut",
        protocol_whitelist="pipe",
        format_whitelist="nut",
        probesize=32,  # the header tells everything
        analyzeduration=0,
        fpsprobesize=0,
    )
    frames = source["v:0"].filter(
        "setparams",
        range=info.range or "unknown",
        colorspace=info.matrix or "unknown",
        color_primaries=first.primaries,
        color_trc=first.transfer,
    )
    frames = frames.filter("format", encoded_format(info))
    # x264 omits the range when it is the usual one.
    range_tag = {"bsf:v": "h264_metadata=video_full_range_flag=0"} if info.range == "tv" else {}
    rate = info.rate.limit_denominator(100_000)
    codec = h264_options()
    codec["x264-params"] += f":fps={rate.numerator}/{rate.denominator}"  # NUT declares no rate
    result = ffmpeg.output(
        frames,
        file_url(job.output),
        format="mp4",
        map_metadata=-1,
        map_chapters=-1,
        fps_mode="passthrough",
        enc_time_base=f"1:{info.ticks}",
        video_track_timescale=info.ticks,
        **codec,
        **range_tag,
    )
    return compiled(result, binary, level="error", own_clock=True)


def encoded_format(info: VideoInfo) -> str:
    """Return the pixel format to encode: the decoded one, where H.264 can express both sides."""
    subsampling = info.subsampling
    if info.width % 2 or (info.height % 2 and subsampling == "420"):
        subsampling = "444"
    return _pixel_format(info, subsampling)


def decoded_format(info: VideoInfo) -> str:
    """Return the formats that need no conversion: decoders of ffmpeg 5.1 name the range in the format."""
    plain = _pixel_format(info, info.subsampling)
    return f"yuvj{info.subsampling}p|{plain}" if info.full_range and info.bits == 8 else plain


def _pixel_format(info: VideoInfo, subsampling: str) -> str:
    """Return the name of the planes; their range is a tag, and converted nowhere."""
    return f"yuv{subsampling}p10le" if info.bits > 8 else f"yuv{subsampling}p"
