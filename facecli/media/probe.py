"""What a video holds, counted packet by packet, and why it is refused. Needs no ffprobe."""

from fractions import Fraction
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.media import MediaLimits, Sound, VideoInfo, VideoPlan
from facecli.media import commands
from facecli.media.packets import Packets
from facecli.media.probe_log import ProbeLog
from facecli.media.run import Bounds, Ended, run
from facecli.media.segments import cut
from facecli.media.showinfo import FrameProperties

SECONDS = 300  # enough to read 20 GB from a slow disk
SLACK = 0.1  # seconds that a file may end before its header says, for rounding and codec delay
TICKS = 120_000  # per second, where the file's own are too fine for an MP4
LEAST_TICKS, MOST_TICKS = 10_000, 1_000_000


def probe_video(binary: Path, path: Path, limits: MediaLimits) -> VideoInfo:
    return plan_video(binary, path, limits).info


def plan_video(binary: Path, path: Path, limits: MediaLimits, *, work: int | None = None) -> VideoPlan:
    """Decode the first frame, then read every packet once; memory grows by 8 bytes a frame.

    `work` is the megapixels of a segment; None makes one of the whole.
    """
    log, frame = ProbeLog(), FrameProperties()
    first, count = Packets(limits.max_frames), Packets(limits.max_frames)
    bounds = Bounds(seconds=SECONDS, file_size=0)

    def hear(line: str) -> None:
        log.hear(line)
        frame.hear(line)

    ended = run(
        commands.first_frame(binary, path, limits),
        bounds=bounds,
        reads=[path],
        on_output=first.hear,
        on_words=hear,
    )
    _require_picture(ended, log, first, limits)
    _require_sdr(frame, log)
    ended = run(
        commands.packets(binary, path, limits),
        bounds=bounds,
        reads=[path],
        on_output=count.hear,
        on_words=log.hear,
    )
    info = _info(log, frame, first, count)
    _require_short(info, log, limits)
    _require_whole(ended, count, log)
    picture = count.picture
    return VideoPlan(
        info=info, segments=cut(picture.times, info, tick=picture.tick, work=work if picture.timed else None)
    )


def count_frames(binary: Path, path: Path, limits: MediaLimits) -> int:
    """Of a file that an engine wrote, packet by packet."""
    count = Packets(limits.max_frames)
    bounds = Bounds(seconds=SECONDS, file_size=0)
    ended = run(commands.packets(binary, path, limits), bounds=bounds, reads=[path], on_output=count.hear)
    if ended.exit_code or not count.picture.frames:
        raise MediaRefused(f"the engine wrote no video ({ended.words or 'it has no frames'})")
    return count.picture.frames


def _info(log: ProbeLog, frame: FrameProperties, first: Packets, count: Packets) -> VideoInfo:
    picture = count.picture
    begin = picture.first * picture.tick
    return VideoInfo(
        width=first.picture.width,
        height=first.picture.height,
        frames=picture.frames,
        duration=float(picture.duration),
        rate=picture.rate,
        codec=picture.codec,
        container=log.container,
        start=begin if picture.timed or frame.start is None else frame.start,
        origin=log.origin,
        ticks=_ticks(picture.tick),
        bits=frame.bits,
        range=frame.range,
        matrix=frame.matrix,
        rgb=frame.rgb,
        sounds=tuple(
            Sound(codec=track.codec, layout=track.layout, language=language)
            for track, language in zip(
                (track for _, track in sorted(count.tracks.items()) if track.kind == "audio"),
                log.sound_languages(),
                strict=False,
            )
        ),
    )


def _ticks(tick: Fraction) -> int:
    """So fine that every time is a whole number, where an MP4 can count so fine for hours."""
    ticks = tick.denominator
    while ticks < LEAST_TICKS:
        ticks *= 2
    return ticks if ticks <= MOST_TICKS else TICKS


def _require_picture(ended: Ended, log: ProbeLog, first: Packets, limits: MediaLimits) -> None:
    if log.too_large:
        raise MediaRefused(f"the video's frames are larger than {limits.max_pixels} pixels")
    if log.too_many:
        raise MediaRefused(f"the file has more than {commands.MAX_STREAMS} tracks")
    if not log.opened:
        why = f", or it is cut off ({log.cut_off})" if log.cut_off else ""
        raise MediaRefused(f"the file is not an MP4, MOV, MKV, WebM, AVI or MPEG-TS video{why}")
    if not log.has_video:
        if log.has_cover:
            raise MediaRefused("the file has a cover picture but no video")
        raise MediaRefused("the file has sound but no picture" if log.has_sound else "the file has no video")
    if ended.exit_code and log.cut_off:  # a decoder with several threads reads ahead of the first frame
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if ended.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({ended.words})")
    picture = first.picture
    if not picture.frames or not picture.width or not picture.height:
        raise MediaRefused("the video has no frames" + (f" ({log.cut_off})" if log.cut_off else ""))


def _require_sdr(frame: FrameProperties, log: ProbeLog) -> None:
    """Nothing brighter than usual screens: on HDR a face glares, and taken for SDR it is washed out."""
    kind = "Dolby Vision" if log.dolby_vision else frame.hdr
    if kind:
        raise MediaRefused(
            f"the video is {kind}, and its colours would not survive; convert it to SDR (BT.709) first"
        )


def _require_short(info: VideoInfo, log: ProbeLog, limits: MediaLimits) -> None:
    seconds = max(info.duration, log.seconds or 0)
    if seconds > limits.max_seconds:
        raise MediaRefused(f"the video lasts {seconds:.0f} s, more than {limits.max_seconds}")
    if seconds * log.declared_rate > limits.max_frames:
        raise MediaRefused(
            f"the video lasts {seconds:.0f} s at {float(log.declared_rate):g} frames per second, "
            f"which is more than {limits.max_frames} frames"
        )


def _require_whole(ended: Ended, count: Packets, log: ProbeLog) -> None:
    """A truncated file can be read with exit code 0: compare what came with what the header promised."""
    if log.cut_off:
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if ended.exit_code:
        raise MediaRefused(f"the video is damaged ({ended.words})")
    if not count.picture.frames:
        raise MediaRefused("the video has no frames")
    if log.seconds is not None:
        there = float(count.end() - log.origin)
        if log.seconds - there > max(SLACK, 2 / float(count.picture.rate)):
            raise MediaRefused(
                f"the video is cut off: its header promises {log.seconds:.2f} s, {there:.2f} s are there"
            )
