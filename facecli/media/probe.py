"""Inspect a video by counting its packets, without ffprobe, and refuse what cannot be processed.

Theory of operation: a container's header is a claim by its author. Length and frame count come from listing
every packet instead, and size, depth and colours from decoding the first frame. Claims serve only to refuse:
a header that promises more than the file holds shows that the file is cut off, which ffmpeg alone reports
with exit code 0.
"""

from fractions import Fraction
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.video.formats import FormatKind, readable_list
from facecli.core.video.media import MediaLimits, Sound, VideoInfo, VideoPlan
from facecli.media.commands import MAX_STREAMS, first_frame_command, packets_command
from facecli.media.packets import PacketCounter
from facecli.media.probe_log import ProbeLog
from facecli.media.run import ProcessLimits, ProcessResult, run
from facecli.media.segments import cut_segments
from facecli.media.showinfo import FrameProperties

SLACK_SECONDS = 0.1  # by which a file may be shorter than declared, for rounding and codec delay
DEFAULT_TICKS = 120_000  # per second, where the file's own are too fine for an MP4
MIN_TICKS, MAX_TICKS = 10_000, 1_000_000

_PROCESS_LIMITS = ProcessLimits(seconds=300, file_size=0)  # enough to read 20 GB from a slow disk


def probe_video(binary: Path, path: Path, limits: MediaLimits) -> VideoInfo:
    return plan_video(binary, path, limits).info


def plan_video(
    binary: Path, path: Path, limits: MediaLimits, *, segment_megapixels: int | None = None
) -> VideoPlan:
    """Decode the first frame, then read every packet once; memory grows by 8 bytes a frame.

    Without `segment_megapixels` the plan is a single segment.
    """
    log, frame = ProbeLog(), FrameProperties()
    first, all_packets = PacketCounter(limits.max_frames), PacketCounter(limits.max_frames)

    def on_stderr(line: str) -> None:
        log.feed(line)
        frame.feed(line)

    result = run(
        first_frame_command(binary, path, limits),
        limits=_PROCESS_LIMITS,
        reads=[path],
        on_stdout=first.feed,
        on_stderr=on_stderr,
    )
    _require_video(result, log, first, limits)
    _require_sdr(frame, log)
    result = run(
        packets_command(binary, path, limits),
        limits=_PROCESS_LIMITS,
        reads=[path],
        on_stdout=all_packets.feed,
        on_stderr=log.feed,
    )
    info = _info(log, frame, first, all_packets)
    _require_within_limits(info, log, limits)
    _require_complete(result, all_packets, log)
    video = all_packets.video
    megapixels = segment_megapixels if video.timed else None
    return VideoPlan(
        info=info, segments=cut_segments(video.times, info, tick=video.tick, megapixels=megapixels)
    )


def count_frames(binary: Path, path: Path, limits: MediaLimits) -> int:
    """Count the frames of a file that an engine wrote, packet by packet."""
    packets = PacketCounter(limits.max_frames)
    command = packets_command(binary, path, limits)
    result = run(command, limits=_PROCESS_LIMITS, reads=[path], on_stdout=packets.feed)
    if result.exit_code or not packets.video.frames:
        raise MediaRefused(f"the engine wrote no video ({result.error_text or 'it has no frames'})")
    return packets.video.frames


def _info(log: ProbeLog, frame: FrameProperties, first: PacketCounter, packets: PacketCounter) -> VideoInfo:
    video = packets.video
    begin = video.first * video.tick
    audio = (track for _, track in sorted(packets.tracks.items()) if track.kind == "audio")
    return VideoInfo(
        width=first.video.width,
        height=first.video.height,
        frames=video.frames,
        duration=float(video.duration),
        rate=video.rate,
        codec=video.codec,
        container=log.container,
        start=begin if video.timed or frame.start is None else frame.start,
        origin=log.origin,
        ticks=_ticks(video.tick),
        bits=frame.bits,
        range=frame.range,
        matrix=frame.matrix,
        rgb=frame.rgb,
        sounds=tuple(
            Sound(codec=track.codec, layout=track.layout, language=language)
            for track, language in zip(audio, log.sound_languages(), strict=False)
        ),
    )


def _ticks(tick: Fraction) -> int:
    """Return ticks per second that make every time a whole number, if an MP4 can count them for hours."""
    ticks = tick.denominator
    while ticks < MIN_TICKS:
        ticks *= 2
    return ticks if ticks <= MAX_TICKS else DEFAULT_TICKS


def _require_video(result: ProcessResult, log: ProbeLog, first: PacketCounter, limits: MediaLimits) -> None:
    if log.too_large:
        raise MediaRefused(f"the video's frames are larger than {limits.max_pixels} pixels")
    if log.too_many:
        raise MediaRefused(f"the file has more than {MAX_STREAMS} tracks")
    if not log.opened:
        reason = f", or it is cut off ({log.cut_off})" if log.cut_off else ""
        raise MediaRefused(f"the file is not an {readable_list(FormatKind.VIDEO)} video{reason}")
    if not log.has_video:
        if log.has_cover:
            raise MediaRefused("the file has a cover picture but no video")
        raise MediaRefused("the file has sound but no picture" if log.has_sound else "the file has no video")
    if result.exit_code and log.cut_off:  # a decoder with several threads reads ahead of the first frame
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if result.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({result.error_text})")
    video = first.video
    if not video.frames or not video.width or not video.height:
        raise MediaRefused("the video has no frames" + (f" ({log.cut_off})" if log.cut_off else ""))


def _require_sdr(frame: FrameProperties, log: ProbeLog) -> None:
    """Refuse high dynamic range: on HDR a face glares, and HDR taken for SDR is washed out."""
    kind = "Dolby Vision" if log.dolby_vision else frame.hdr
    if kind:
        raise MediaRefused(
            f"the video is {kind}, and its colours would not survive; convert it to SDR (BT.709) first"
        )


def _require_within_limits(info: VideoInfo, log: ProbeLog, limits: MediaLimits) -> None:
    seconds = max(info.duration, log.seconds or 0)
    if seconds > limits.max_seconds:
        raise MediaRefused(f"the video lasts {seconds:.0f} s, more than {limits.max_seconds}")
    if seconds * log.declared_rate > limits.max_frames:
        raise MediaRefused(
            f"the video lasts {seconds:.0f} s at {float(log.declared_rate):g} frames per second, "
            f"which is more than {limits.max_frames} frames"
        )


def _require_complete(result: ProcessResult, packets: PacketCounter, log: ProbeLog) -> None:
    """Refuse a truncated file, by comparing its packets with the length that its header promises."""
    if log.cut_off:
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if result.exit_code:
        raise MediaRefused(f"the video is damaged ({result.error_text})")
    if not packets.video.frames:
        raise MediaRefused("the video has no frames")
    if log.seconds is not None:
        present = float(packets.end() - log.origin)
        if log.seconds - present > max(SLACK_SECONDS, 2 / float(packets.video.rate)):
            raise MediaRefused(
                f"the video is cut off: its header declares {log.seconds:.2f} s, but it holds {present:.2f} s"
            )
