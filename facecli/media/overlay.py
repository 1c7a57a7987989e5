"""Put a picture on every frame of a segment: the command, pure, and its run.

Theory of operation: ffmpeg seeks to the segment's key frame, decodes, trims to the segment's frames and gives
them times that begin at 0. Containers lie about key frames, so the frames are counted: when the run from the
key frame fails or yields another number, it runs again from the beginning of the file. The output keeps
depth, range and matrix of the colours: the picture is converted to those of the video, since the overlay
filter would convert whichever side differs.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits, OverlayJob, Segment, VideoInfo
from facecli.core.video.placement import Oscillation
from facecli.media.commands import compiled, file_url, h264_options, hardened_input, parse_frames_done
from facecli.media.frames.source import converted_info, opened, trimmed, whole_pictures
from facecli.media.labels.plate import label_box, plate_for, write_picture
from facecli.media.run import ProcessLimits, ProcessResult, run

# Matrix → the scale filter's name of it. For a video that declares none, players go by its size.
_MATRICES = {
    "bt709": "bt709",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
    "smpte240m": "smpte240m",
    "fcc": "fcc",
    "smpte170m": "smpte170m",
    "bt470bg": "smpte170m",
}


def write_overlay(
    binary: Path,
    job: OverlayJob,
    *,
    limits: MediaLimits,
    process_limits: ProcessLimits,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Write the segment, decoding from its key frame, or else from the beginning of the file."""
    pictures = [job.picture]
    if label := job.segment.label:
        pictures.append(label_file(job.output))
        write_picture(plate_for(label.text, job.info.width, job.info.height), pictures[-1])

    def attempt(key: Fraction | None) -> tuple[ProcessResult, int]:
        done = 0

        def on_stdout(line: str) -> None:
            nonlocal done
            done = parse_frames_done(line) or done
            if done > job.segment.frames + job.info.hidden:
                raise MediaRefused(f"the video has more frames than expected: more than {job.segment.frames}")
            progress(min(done, job.segment.frames))

        result = run(
            overlay_command(binary, job, key=key, limits=limits),
            limits=process_limits,
            reads=(job.video, *pictures),
            writes=[job.output.parent],
            stopped=stopped,
            on_stdout=on_stdout,
        )
        return result, done

    result, done = attempt(job.segment.key)
    if job.segment.key is not None and (result.exit_code or done != job.segment.frames):
        result, done = attempt(None)
    if result.exit_code:
        raise MediaRefused(f"the video cannot be converted ({result.error_text})")


def count_decodable(
    binary: Path,
    video: Path,
    segment: Segment,
    info: VideoInfo,
    *,
    limits: MediaLimits,
    process_limits: ProcessLimits,
) -> int:
    """Count the segment's frames by decoding from the beginning of the file."""
    done = 0

    def on_stdout(line: str) -> None:
        nonlocal done
        done = parse_frames_done(line) or done

    frames = _timed_from_zero(trimmed(hardened_input(video, limits)["V:0"], segment, info))
    output = ffmpeg.output(frames, "-", format="null", fps_mode="passthrough")
    command = compiled(output, binary, level="error", progress=True, own_clock=True)
    result = run(command, limits=process_limits, reads=[video], on_stdout=on_stdout)
    if result.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({result.error_text})")
    return done


def overlay_command(binary: Path, job: OverlayJob, *, key: Fraction | None, limits: MediaLimits) -> list[str]:
    """Encode H.264 without sound in an MP4: 4:2:0, which every player decodes, but 4:4:4 for an odd side.

    In 4:2:0 two pixels share a colour, and H.264 cannot express that the last one is alone.
    """
    info = converted_info(job.info)
    source = opened(job.video, key, limits)
    frames = whole_pictures(_timed_from_zero(trimmed(source, job.segment, info)), info)
    frames = frames.filter("format", _pixel_format(info)).overlay(
        _picture(job.picture, info, limits),
        x=_expression(job.placement.x, job.segment.start - info.start),
        y=_expression(job.placement.y, job.segment.start - info.start),
        format=_overlay_format(info),
    )
    if job.segment.label:
        frames = _labelled(frames, job, info, limits)
    if info.width % 2 or info.height % 2:
        frames = frames.filter("format", _pixel_format(info).replace("420", "444"))
    # x264 omits the range when it is the usual one.
    range_tag = {"bsf:v": "h264_metadata=video_full_range_flag=0"} if info.range == "tv" else {}
    result = ffmpeg.output(
        frames,
        file_url(job.output),
        format="mp4",
        map_metadata=-1,
        map_chapters=-1,
        fps_mode="passthrough",
        enc_time_base=f"1:{info.ticks}",
        video_track_timescale=info.ticks,
        **h264_options(),
        **range_tag,
    )
    return compiled(result, binary, level="error", progress=True, own_clock=True)


def _timed_from_zero(frames: Any) -> Any:
    """Return the frames with the first at 0.

    A time that two frames share, or that goes back, becomes a tick later than the one before.
    """
    return frames.filter("setpts", "if(N,max(PTS-STARTPTS,PREV_OUTPTS+1),0)")


def _labelled(frames: Any, job: OverlayJob, info: VideoInfo, limits: MediaLimits) -> Any:
    """Return the frames with the visible label of the segment, on those before its end."""
    label = job.segment.label
    assert label
    box = label_box(label.text, info.width, info.height)
    shown = {} if label.seconds is None else {"enable": f"lt(t,{float(label.seconds):.6f})"}
    picture = _picture(label_file(job.output), info, limits)
    return frames.overlay(picture, x=box.x, y=box.y, format=_overlay_format(info), **shown)


def label_file(output: Path) -> Path:
    """Return the picture of the visible label for an overlay that is written there."""
    return output.with_name("label.png")


def _overlay_format(info: VideoInfo) -> str:
    return "yuv420p10" if info.bits > 8 else "yuv420"


def _picture(picture: Path, info: VideoInfo, limits: MediaLimits) -> Any:
    """Return the picture in the colours of the video and tagged alike, so that overlay converts nothing."""
    face = hardened_input(picture, limits, formats=("png_pipe",), f="png_pipe", framerate=1)["v:0"]
    guessed = "bt709" if info.width >= 1280 or info.height > 576 else "smpte170m"
    face = face.filter(
        "scale", out_color_matrix=_MATRICES.get(info.matrix, guessed), out_range=info.range or "tv"
    )
    face = face.filter("format", "yuva420p10le" if info.bits > 8 else "yuva420p")
    return face.filter("setparams", range=info.range or "tv", colorspace=info.matrix or "unknown")


def _pixel_format(info: VideoInfo) -> str:
    if info.bits > 8:
        return "yuv420p10le"
    return "yuvj420p" if info.full_range else "yuv420p"


def _expression(oscillation: Oscillation, begin: Fraction) -> str:
    """Return the coordinate as an ffmpeg expression of `t`, seconds into the segment. Numbers only."""
    if not oscillation.reach:
        return f"{oscillation.middle:g}"
    turns = f"(t+{float(begin):.9f})/{oscillation.period:.9f}+{oscillation.phase:.9f}"
    return f"{oscillation.middle:.3f}+{oscillation.reach:.3f}*sin(2*PI*({turns}))"
