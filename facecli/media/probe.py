"""Inspect a video by counting its packets, without ffprobe, and refuse what cannot be processed.

Theory of operation: a container's header is a claim by its author. Length and frame count come from listing
every packet instead, and size, depth and colours from decoding the first frame. Claims serve only to refuse:
a header that promises more than the file holds shows that the file is cut off, which ffmpeg alone reports
with exit code 0.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from facecli.core.errors import MediaRefused
from facecli.core.video.formats import FormatKind, readable_list
from facecli.core.video.media import MediaLimits, never
from facecli.core.video.plan import WHOLE, Sound, VideoInfo, VideoPart, VideoPlan
from facecli.media.boxes import is_whole
from facecli.media.commands import MAX_STREAMS, first_frame_command, metadata_command, packets_command
from facecli.media.packets import STOPPED_FRAMES, PacketCounter, Track
from facecli.media.probe_log import ProbeLog
from facecli.media.run import ProcessLimits, ProcessResult, run
from facecli.media.segments import cut_segments
from facecli.media.showinfo import FrameProperties
from facecli.media.stream_metadata import StreamMetadata
from facecli.media.unknown_output import FfmpegOutputUnknown

SLACK_SECONDS = 0.1  # by which a file may be shorter than declared, for rounding and codec delay
DEFAULT_TICKS = 120_000  # per second, where the file's own are too fine for an MP4
MIN_TICKS, MAX_TICKS = 10_000, 1_000_000

_PROCESS_LIMITS = ProcessLimits(seconds=300, file_size=0)  # enough to read 20 GB from a slow disk


def probe_video(
    binary: Path, path: Path, limits: MediaLimits, *, stopped: Callable[[], bool] = never
) -> VideoInfo:
    return plan_video(binary, path, limits, stopped=stopped).info


def plan_video(
    binary: Path,
    path: Path,
    limits: MediaLimits,
    *,
    part: VideoPart = WHOLE,
    stills: int | Sequence[int] = (),
    segment_megapixels: int | None = None,
    stopped: Callable[[], bool] = never,
) -> VideoPlan:
    """Decode the first frame, then read every packet once; memory grows by 8 bytes a frame.

    Without `segment_megapixels` the plan is a single segment.
    """
    first, frame = ProbeLog(), FrameProperties()
    ffmpeg = partial(run, limits=_PROCESS_LIMITS, reads=[path], stopped=stopped)

    def on_stderr(line: str) -> None:
        first.feed(line)
        frame.feed(line)

    result = ffmpeg(first_frame_command(binary, path, limits), on_stderr=on_stderr)
    picture = _require_video(result, first, frame, limits)
    _require_sdr(frame, first)
    log, packets = ProbeLog(), PacketCounter(limits)
    maps = ["0", *(f"-0:{stream}" for stream in (*first.unreadable, picture)), f"0:{picture}"]
    command = packets_command(binary, path, limits, maps=maps)
    result = ffmpeg(command, on_stdout=packets.feed, on_stderr=log.feed)
    _require_complete(result, packets, log, path)
    info = _info(first, frame, packets, log, _languages(binary, path, packets, log, limits))
    _require_within_limits(info, first, limits)
    _require_steady_clock(packets.video)
    video = packets.video
    megapixels = segment_megapixels if video.timed and video.regular else None
    return cut_segments(video.times, info, part=part, stills=stills, tick=video.tick, megapixels=megapixels)


def count_frames(binary: Path, path: Path, limits: MediaLimits) -> int:
    """Count the frames of a file that an engine wrote, packet by packet."""
    packets = PacketCounter(limits)
    command = packets_command(binary, path, limits, maps=("0:V:0",))
    result = run(command, limits=_PROCESS_LIMITS, reads=[path], on_stdout=packets.feed)
    if result.exit_code or not packets.video.frames:
        raise MediaRefused(f"the engine wrote no video ({result.error_text or 'it has no frames'})")
    return packets.video.frames


def _languages(
    binary: Path, path: Path, packets: PacketCounter, log: ProbeLog, limits: MediaLimits
) -> dict[int, str]:
    """Return the language of each sound track, by the number of its stream in the file."""
    streams = [log.listed[at] for at, track in sorted(packets.tracks.items()) if track.kind == "audio"]
    if not streams:
        return {}
    metadata = StreamMetadata()
    command = metadata_command(binary, path, limits, streams=streams)
    result = run(command, limits=_PROCESS_LIMITS, reads=[path], on_stdout=metadata.feed)
    if result.exit_code or len(metadata.languages) != len(streams):
        raise FfmpegOutputUnknown(
            f"ffmpeg printed metadata of {len(metadata.languages)} of {len(streams)} sound tracks "
            f"({result.error_text})"
        )
    return dict(zip(streams, metadata.languages, strict=True))


def _info(
    first: ProbeLog, frame: FrameProperties, packets: PacketCounter, log: ProbeLog, languages: dict[int, str]
) -> VideoInfo:
    video = packets.video
    start = video.first * video.tick if video.timed or frame.start is None else frame.start
    tracks = {
        log.listed[at]: track
        for at, track in packets.tracks.items()
        if track.kind == "audio" and track.frames
    }
    sounds = [
        Sound(codec=track.codec, layout=track.layout, language=languages[stream], stream=stream)
        for stream, track in tracks.items()
    ]
    sounds += [
        Sound(codec=codec, stream=stream, readable=False)
        for stream, (kind, codec) in first.unreadable.items()
        if kind == "Audio"
    ]
    # The packets of a sound track may begin before its sound, with the delay of the codec.
    begin = min([start, *(track.first * track.tick for track in tracks.values())])
    return VideoInfo(
        width=frame.width,
        height=frame.height,
        frames=video.frames,
        duration=float(video.duration),
        rate=video.rate,
        codec=video.codec,
        container=log.container,
        start=start,
        last=start + (video.last - video.first) * video.tick,
        origin=begin if log.start is None else min(start, max(begin, log.start)),
        ticks=_ticks(video.tick),
        bits=frame.bits,
        range=frame.range,
        matrix=frame.matrix,
        rgb=frame.rgb,
        subsampling=frame.subsampling,
        timed=video.timed,
        hidden=video.hidden,
        sounds=tuple(sorted(sounds, key=lambda sound: sound.stream)),
    )


def _ticks(tick: Fraction) -> int:
    """Return ticks per second that make every time a whole number, if an MP4 can count them for hours."""
    ticks = tick.denominator
    while ticks < MIN_TICKS:
        ticks *= 2
    return ticks if ticks <= MAX_TICKS else DEFAULT_TICKS


def _require_video(result: ProcessResult, log: ProbeLog, frame: FrameProperties, limits: MediaLimits) -> int:
    """Return the number of the stream to swap, whose first frame was decoded."""
    if log.too_large:
        raise MediaRefused(f"the video's frames are larger than {limits.max_pixels} pixels")
    if log.too_many:
        raise MediaRefused(
            f"the file has more than {MAX_STREAMS} tracks, subtitles and attachments included; "
            "keep those that you need, such as with ffmpeg -i IN -map 0:v:0 -map 0:a -c copy OUT"
        )
    if not log.opened:
        reason = f", or it is cut off ({log.cut_off})" if log.cut_off else ""
        raise MediaRefused(f"the file is not an {readable_list(FormatKind.VIDEO)} video{reason}")
    if log.picture is None and "matches no streams" in result.error_text:
        if log.has_cover:
            raise MediaRefused("the file has a cover picture but no video")
        raise MediaRefused("the file has sound but no picture" if log.has_sound else "the file has no video")
    if result.exit_code and log.cut_off:  # a decoder with several threads reads ahead of the first frame
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if result.exit_code:
        raise MediaRefused(f"the video cannot be decoded ({result.error_text})")
    if not frame.width or not frame.height:
        raise MediaRefused("the video has no frames" + (f" ({log.cut_off})" if log.cut_off else ""))
    if log.picture is None:
        raise FfmpegOutputUnknown("ffmpeg did not print the number of the stream that it decoded")
    return log.picture


def _require_sdr(frame: FrameProperties, log: ProbeLog) -> None:
    """Refuse high dynamic range: on HDR a face glares, and HDR taken for SDR is washed out."""
    kind = "Dolby Vision" if log.dolby_vision else frame.hdr
    if kind:
        raise MediaRefused(
            f"the video is {kind}, and its colours would not survive; convert it to SDR (BT.709) first"
        )


def _require_within_limits(info: VideoInfo, log: ProbeLog, limits: MediaLimits) -> None:
    # Where the clock begins late, most containers declare the time of the end.
    seconds = max(info.duration, (log.seconds or 0) - float(max(Fraction(0), log.start or Fraction(0))))
    if seconds > limits.max_seconds:
        raise MediaRefused(f"the video lasts {seconds:.0f} s, more than {limits.max_seconds}")
    if seconds * log.declared_rate > limits.max_frames:
        raise MediaRefused(
            f"the video lasts {seconds:.0f} s at {float(log.declared_rate):g} frames per second, "
            f"which is more than {limits.max_frames} frames"
        )


def _require_complete(result: ProcessResult, packets: PacketCounter, log: ProbeLog, path: Path) -> None:
    """Refuse a truncated file, by comparing its packets with the length that its header promises.

    ffmpeg 5 does not list the length of an MP4's last frame if frames are stored out of order: what the
    header of a whole file promises beyond the packets is that length.
    """
    if log.cut_off:
        raise MediaRefused(f"the video is cut off or damaged ({log.cut_off})")
    if result.exit_code:
        raise MediaRefused(f"the video is damaged ({result.error_text})")
    if not packets.video.frames:
        raise MediaRefused("the video has no frames")
    if log.seconds is not None:
        # Some containers count from 0, others from the first packet.
        present = float(packets.end() - min(Fraction(0), log.start or Fraction(0)))
        if log.seconds - present > max(SLACK_SECONDS, 2 / float(packets.video.rate or 1)):
            if log.container == "MP4" and is_whole(path):
                if not log.unreadable:  # else the length may be that of a track which is not listed
                    packets.video.extend(Fraction(log.seconds).limit_denominator(100) - packets.end())
                return
            raise MediaRefused(
                f"the video is cut off: its header declares {log.seconds:.2f} s, but it holds {present:.2f} s"
            )


def _require_steady_clock(video: Track) -> None:
    """Refuse a video whose frames have no order in time, as in some recordings that were joined."""
    if video.longest_stop > STOPPED_FRAMES:
        raise MediaRefused(
            f"the clock of the video goes back, and {video.longest_stop + 1} frames have no own time; "
            "convert it first, such as with ffmpeg -i IN -fps_mode cfr OUT.mp4"
        )
