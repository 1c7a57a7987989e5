"""Extract the sound tracks of a video into an MP4: the command, pure, and its runs.

Theory of operation: this happens before the first frame is swapped, so that no sound track can cost a
finished video. All tracks are written at once, each in the best of its forms: copied if an MP4 can hold it,
else as AAC. If that fails, each track is tried alone, form by form, and one that fails in every form is left
out. ffmpeg runs tolerantly here, as for `ffmpeg -c copy`: times that do not rise are moved, and frames that
cannot be decoded are skipped. Times count from `VideoPlan.origin`, which is 0 in the result: they are
taken from the file's own clock (`-copyts`), since ffmpeg's own shift to 0 depends on the tracks in use.

The sound of a part begins a little before it, at a time below 0, which the MP4 tells players to skip: so a
decoder has settled at 0, and copied sound is exact, too. Its last packet may reach behind the part. The file
is read from its beginning, without seeking: indexes of containers can be wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import ffmpeg

from facecli.core.video.media import MediaLimits
from facecli.core.video.plan import MICROSECONDS, Sound, VideoPlan
from facecli.media.commands import compiled, file_url, hardened_input, packets_command
from facecli.media.packets import PacketCounter
from facecli.media.run import ProcessLimits, run

LEAD_SECONDS = Fraction(1, 10)  # of sound before a part; longer than a packet of any codec
# Codecs that an MP4 can hold, by https://mp4ra.org/registered-types/codecs; the rest becomes AAC.
_MP4_CODECS = frozenset({"aac", "ac3", "alac", "dts", "eac3", "flac", "mp3", "opus"})
_STEREO = frozenset({"mono", "stereo"})


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a sound track: ffmpeg's options, and the loss that it means."""

    options: dict[str, Any]
    loss: str = ""


_COPY = Form({"c": "copy"})
_AAC = Form({"c": "aac", "b": "192k"})
_SURROUND_AAC = Form({"c": "aac", "b": "448k"})
_DOWNMIX = Form({"c": "aac", "b": "192k", "ac": 2}, "is mixed down to stereo: AAC cannot hold its channels")
_TWO_CHANNELS = Form(
    {"c": "aac", "b": "192k", "filter": "pan=stereo|c0=c0|c1=c1"},
    "keeps its first two channels: their positions are unknown",
)


class SoundExtraction:
    """Writes sound tracks of one video to one file."""

    def __init__(
        self,
        binary: Path,
        video: Path,
        plan: VideoPlan,
        output: Path,
        *,
        limits: MediaLimits,
        process_limits: ProcessLimits,
        stopped: Callable[[], bool],
    ) -> None:
        self._binary = binary
        self._video = video
        self._plan = plan
        self._output = output
        self._limits = limits
        self._process_limits = process_limits
        self._stopped = stopped

    def run(self) -> list[str]:
        """Write every track that can be kept, an empty file if there is none; return what is lost."""
        tracks = [(sound, forms_of(sound)) for sound in self._plan.info.sounds]
        best = [(sound, forms[0]) for sound, forms in tracks if forms]
        if not best or len(best) < len(tracks) or self._failure(best):
            best, lost = self._try_each(tracks)
        else:
            lost = []
        if not best:
            self._output.write_bytes(b"")
        return [self._sentence(sound, form.loss) for sound, form in best if form.loss] + lost

    def _try_each(
        self, tracks: Sequence[tuple[Sound, Sequence[Form]]]
    ) -> tuple[list[tuple[Sound, Form]], list[str]]:
        """Write the tracks whose sound some form keeps; return these, and sentences about the others."""
        kept, lost = list[tuple[Sound, Form]](), list[str]()
        for sound, forms in tracks:
            failure = "ffmpeg does not know its format"
            for form in forms:
                failure = self._failure([(sound, form)])
                if not failure:
                    kept.append((sound, form))
                    break
            if failure:
                lost.append(self._sentence(sound, f"is left out: {failure}"))
        if kept and (failure := self._failure(kept)):
            return [], [f"the sound is left out: {failure}"]
        return kept, lost

    def _failure(self, tracks: Sequence[tuple[Sound, Form]]) -> str:
        """Write these tracks; return why one is missing, empty if none is."""
        result = run(
            sound_command(
                self._binary, self._video, self._plan, self._output, tracks=tracks, limits=self._limits
            ),
            limits=self._process_limits,
            reads=[self._video],
            writes=[self._output.parent],
            stopped=self._stopped,
        )
        if result.exit_code:
            return result.error_text or "ffmpeg failed"
        return "" if self._count_tracks() == len(tracks) else "none of it can be decoded"

    def _count_tracks(self) -> int:
        """Count the tracks of the output that have any sound."""
        packets = PacketCounter(self._limits)
        command = packets_command(self._binary, self._output, self._limits)
        result = run(
            command,
            limits=self._process_limits,
            reads=[self._output],
            on_stdout=packets.feed,
            stopped=self._stopped,
        )
        return 0 if result.exit_code else sum(track.frames > 0 for track in packets.tracks.values())

    def _sentence(self, sound: Sound, text: str) -> str:
        number = 1 + next(at for at, track in enumerate(self._plan.info.sounds) if track is sound)
        return f"sound track {number} ({sound.codec}) {text}"


def forms_of(sound: Sound) -> list[Form]:
    """Return the forms to try for a track, the best one first."""
    if not sound.readable:
        return []
    aac = _AAC if sound.layout in _STEREO else _SURROUND_AAC
    converted = [aac] if sound.layout in _STEREO else [aac, _DOWNMIX, _TWO_CHANNELS]
    return [_COPY, *converted] if sound.codec in _MP4_CODECS else converted


def sound_command(
    binary: Path,
    video: Path,
    plan: VideoPlan,
    output: Path,
    *,
    tracks: Sequence[tuple[Sound, Form]],
    limits: MediaLimits,
) -> list[str]:
    """Write these tracks in these forms, at their times since the origin of the plan."""
    source = hardened_input(video, limits)
    options: dict[str, Any] = {}
    for index, (sound, form) in enumerate(tracks):
        options |= {f"{name}:a:{index}": value for name, value in form.options.items()}
        if sound.language:
            options[f"metadata:s:a:{index}"] = f"language={sound.language}"
    moved, bounds = _bounds(plan)
    result = ffmpeg.output(
        *(source[str(sound.stream)] for sound, _ in tracks),
        file_url(output),
        format="mp4",
        # Not `-itsoffset`: ffmpeg 5 takes one that equals the start of a transport stream for its own.
        output_ts_offset=f"{floor(moved - plan.origin * MICROSECONDS)}us",
        map_metadata=-1,
        map_chapters=-1,
        strict="experimental",  # ffmpeg 5 requires it for FLAC in an MP4
        movie_timescale=plan.info.ticks,
        **bounds,
        **options,
    )
    return compiled(result, binary, level="error", own_clock=True, tolerant=True)


def _bounds(plan: VideoPlan) -> tuple[int, dict[str, str]]:
    """Return how far the options for the part of a plan move times back, in microseconds, and these."""
    first, end = (floor(time * MICROSECONDS) for time in (plan.origin - LEAD_SECONDS, plan.end))
    if plan.from_beginning or first <= 0:
        first = 0
    start = {"ss": f"{first}us"} if first else {}
    return first, start | ({} if plan.to_end else {"to": f"{end}us"})
