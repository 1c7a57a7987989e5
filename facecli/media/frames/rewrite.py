"""Rewrite the frames of a segment: decode them to a filter, and encode what it returns.

Theory of operation: two ffmpegs in sandboxes of their own, and the filter between them in this process, which
holds one frame, besides those that the filter holds back. Raw frames carry no times: the decoder logs them,
and the encoder gets them in NUT. The colours, which NUT lacks, are options of the encoder, so it starts when
the first frame of the segment is known. The segment is decoded with the frames around it (`Segment.wide`).
Containers lie about key frames, so the frames are counted, as for the overlay: when the run from the key
frame fails or yields another number, everything runs again from the beginning of the file, with another
filter.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from fractions import Fraction
from math import ceil
from pathlib import Path

from facecli.core.errors import FacecliError, MediaRefused
from facecli.core.video.frames import BufferedFilter, FrameFilter, FrameLayout, Planes
from facecli.core.video.media import FramesJob, MediaLimits
from facecli.media.frames.commands import decode_command, encode_command, frame_layout
from facecli.media.frames.frame_log import FrameLog, LoggedFrame
from facecli.media.frames.kept_stills import AFTER, BEFORE, KeptStills
from facecli.media.frames.nut import nut_frame_header, nut_header
from facecli.media.frames.piped_program import PipedProgram, piped
from facecli.media.labels.plate import Stamp, plate_for
from facecli.media.run import ProcessLimits
from facecli.media.unknown_output import FfmpegOutputUnknown

OpenFilter = Callable[[FrameLayout], AbstractContextManager[FrameFilter]]


def rewrite_frames(
    binary: Path,
    job: FramesJob,
    *,
    open_filter: OpenFilter,
    limits: MediaLimits,
    process_limits: ProcessLimits,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Write the segment, decoding from a key frame, or else from the beginning of the file."""

    def attempt(key: Fraction | None) -> str:
        with (
            _Attempt(
                binary,
                job,
                key=key,
                limits=limits,
                process_limits=process_limits,
                progress=progress,
                stopped=stopped,
            ) as run,
            open_filter(frame_layout(job.info)) as frame_filter,
        ):
            return run.run(frame_filter)

    key = (job.segment.wide or job.segment).key
    failure = attempt(key)
    if key is not None and failure:
        failure = attempt(None)
    if failure and failure != _MISCOUNTED:
        raise MediaRefused(f"the video cannot be converted ({failure})")


_NEVER_ENDS = 2**63

_MISCOUNTED = "another number of frames than it lists"


class _Attempt:
    """One run through the segment from one place of the file."""

    def __init__(
        self,
        binary: Path,
        job: FramesJob,
        *,
        key: Fraction | None,
        limits: MediaLimits,
        process_limits: ProcessLimits,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._binary, self._job, self._process_limits = binary, job, process_limits
        self._progress, self._stopped = progress, stopped
        self._wide = job.segment.wide or job.segment
        self._layout = frame_layout(job.info)
        self._command = decode_command(binary, job, self._wide, key=key, limits=limits)
        self._stills = KeptStills(job, self._layout)
        self._log = FrameLog()
        self._stack = ExitStack()
        self._encoder: PipedProgram | None = None
        self._first: LoggedFrame | None = None  # of the segment's own frames
        self._times: deque[int] = deque()  # of the frames that the filter holds
        self._last = -1  # time of the last frame given to the filter
        self._decoded = self._own = self._done = 0
        self._stamp, self._labelled_until = _stamp(job, self._layout)
        self._labelled = bytearray(self._layout.frame_bytes if self._stamp else 0)

    def __enter__(self) -> "_Attempt":
        """Start the decoder, so that it has a frame when the filter is there."""
        decoder = piped(
            self._command,
            limits=self._process_limits,
            reads=[self._job.video],
            stopped=self._stopped,
            on_stderr=self._log.feed,
        )
        self._decoder = self._stack.enter_context(decoder)
        return self

    def __exit__(self, kind: type[BaseException] | None, *failure: object) -> None:
        self._stack.close()
        if kind:
            self._stills.remove()

    def run(self, frame_filter: FrameFilter) -> str:
        """Return the reason why the video cannot be decoded so, empty if it can."""
        decoder = self._decoder
        buffered = (
            frame_filter if isinstance(frame_filter, BufferedFilter) else _Buffer(frame_filter, self._layout)
        )
        while (frame := self._next(decoder, planes := buffered.buffer())) is not None:
            own = self._is_own(frame)
            if own:
                self._expect(frame)
                self._encoder = self._encoder or self._start_encoder()
                self._keep(self._own - 1, BEFORE, planes)
            self._encode(buffered.push_buffered(own=own))
        ended = decoder.wait()
        if ended.exit_code:
            return ended.error_text or f"ffmpeg ended with exit code {ended.exit_code}"
        if self._own == 0:
            return "it has no frames"
        self._encode(frame_filter.finish())
        if self._times:
            raise FacecliError(f"the engine did not return {len(self._times)} frames of the segment")
        self._finish_encoder()
        return "" if self._decoded == self._wide.frames else _MISCOUNTED

    def _next(self, decoder: PipedProgram, planes: memoryview) -> LoggedFrame | None:
        """Read the next frame; None after the last one."""
        if decoder.read_into(planes) < len(planes):
            return None
        while (frame := self._log.take()) is None:
            if not decoder.wait_for_stderr():
                raise FfmpegOutputUnknown("ffmpeg did not log the time of a frame that it decoded")
        self._decoded += 1
        return frame

    def _is_own(self, frame: LoggedFrame) -> bool:
        """Return whether a frame belongs to the segment, by its time: counts may be wrong."""
        segment, info = self._job.segment, self._job.info
        if frame.time is None:
            return True
        if segment.before and frame.time <= segment.start * info.ticks - 1:
            return False
        is_last = segment.before + segment.frames >= info.frames
        return is_last or frame.time <= segment.end * info.ticks - 1

    def _expect(self, frame: LoggedFrame) -> None:
        """Note the time of a frame that the filter gets."""
        segment, info = self._job.segment, self._job.info
        self._first = self._first or frame
        self._own += 1
        if self._own > segment.frames + info.hidden:
            raise MediaRefused(f"the video has more frames than expected: more than {segment.frames}")
        since_first = (frame.time or 0) - (self._first.time or 0)
        self._last = max(since_first, self._last + 1)
        self._times.append(self._last)

    def _encode(self, done: Iterable[Planes]) -> None:
        for planes in done:
            if not self._times:
                raise FacecliError("the engine returned a frame more than it was given")
            if len(planes) != self._layout.frame_bytes:
                raise FacecliError(
                    f"the engine returned a frame of {len(planes)} bytes, expected {self._layout.frame_bytes}"
                )
            encoder = self._encoder
            assert encoder  # since the first frame of the segment
            if self._stamp and self._times[0] < self._labelled_until:
                self._labelled[:] = planes  # which the filter cannot change any more
                self._stamp.put_on(planes := self._labelled)
            self._keep(self._done, AFTER, planes)
            header = nut_frame_header(self._times.popleft(), len(planes))
            if not (encoder.write(header) and encoder.write(planes)):
                self._finish_encoder()
            self._done += 1
            self._progress(min(self._done, self._job.segment.frames))

    def _keep(self, number: int, side: str, planes: Planes) -> None:
        """Keep a frame of the segment if it is wanted."""
        assert self._first
        frame = self._job.segment.before + number
        self._stills.keep(frame, side, planes, pixel_aspect=self._first.pixel_aspect)

    def _start_encoder(self) -> PipedProgram:
        assert self._first
        info = self._job.info
        self._encoder = self._stack.enter_context(
            piped(
                encode_command(self._binary, self._job, self._first),
                limits=self._process_limits,
                writes=[self._job.output.parent],
                stopped=self._stopped,
            )
        )
        self._encoder.write(nut_header(self._layout, ticks=info.ticks, pixel_aspect=self._first.pixel_aspect))
        return self._encoder

    def _finish_encoder(self) -> None:
        """Wait for the end of the encoder; MediaRefused if it failed."""
        assert self._encoder
        ended = self._encoder.wait()
        if ended.exit_code or self._done < self._own:
            reason = ended.error_text or f"its encoder ended with exit code {ended.exit_code}"
            raise MediaRefused(f"the video cannot be converted ({reason})")


class _Buffer:
    """Room for the frames of a filter that has none."""

    def __init__(self, frame_filter: FrameFilter, layout: FrameLayout) -> None:
        self._filter, self._size = frame_filter, layout.frame_bytes

    def buffer(self) -> memoryview:
        self._planes = bytearray(self._size)
        return memoryview(self._planes)

    def push_buffered(self, *, own: bool) -> Iterable[Planes]:
        return self._filter.push(self._planes, own=own)


def _stamp(job: FramesJob, layout: FrameLayout) -> tuple[Stamp | None, int]:
    """Return what puts the visible label on frames, if any, and the time at which it ends, in ticks."""
    label = job.segment.label
    if label is None:
        return None, 0
    end = _NEVER_ENDS if label.seconds is None else ceil(label.seconds * job.info.ticks)
    return Stamp(plate_for(label.text, layout.width, layout.height), layout), end
