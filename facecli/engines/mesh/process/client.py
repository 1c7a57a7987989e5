"""SwapProcess: the engine's side of its process in the sandbox.

Theory of operation: up to `AHEAD` frames are with the process without an answer, so that it works while the
next frame is decoded and the last one encoded. Nothing that it sends is trusted: lengths are known before
they are read, text is escaped, and a message out of turn ends the work with a reason, as do its death and its
silence.
"""

import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import facecli
from facecli.core.errors import FacecliError, MediaRefused, NoFace, NotReady
from facecli.core.printable import escaped
from facecli.core.video.frames import FrameLayout, Picture, Planes, SandboxedProgram
from facecli.core.video.media import Media
from facecli.engines.mesh.process.messages import (
    HEADER,
    SLOTS,
    Answer,
    Header,
    Malformed,
    Request,
    decode_json,
    header,
)
from facecli.engines.mesh.process.setup import Setup
from facecli.engines.mesh.process.spare import Inputs, Launch, Spares

AHEAD = 2  # frames
_PACKAGES = ("cv2", "numpy", "onnxruntime", "onnx")  # the last two only for weights of one's own
_REFUSALS = {error.reason: error for error in (NoFace, NotReady)}
_MAX_MESSAGE = 300  # characters


@contextmanager
def swap_process(
    media: Media,
    setup: Setup,
    picture: Picture,
    *,
    stopped: Callable[[], bool],
    reads: Sequence[Path] = (),
    gpu: bool = False,
    command: Sequence[str] | None = None,
    spares: Spares | None = None,
    inputs: Inputs | None = None,
    more: bool = False,
) -> "Iterator[SwapProcess]":
    """Start the process, and wait until it has found the face of the picture.

    `reads` are files of weights. NoFace when there is no face, NotReady when the weights cannot be used;
    `command` runs another program instead. `spares` may have one that runs already, and keep it if `more`
    work on these `inputs` is to come.
    """
    launch = launch_of(setup.engine, setup.layout, reads=reads, gpu=gpu, command=command)
    with (spares or Spares(media)).program(launch, stopped=stopped, inputs=inputs, more=more) as program:
        process = SwapProcess(program, setup.layout, name=launch.name)
        process.begin(setup, picture)
        yield process


def launch_of(
    engine: str,
    layout: FrameLayout,
    *,
    reads: Sequence[Path] = (),
    gpu: bool = False,
    command: Sequence[str] | None = None,
) -> Launch:
    """The launch of the process of an engine for frames of this layout."""
    code, packages = Path(facecli.__file__).parent, _package_directories()
    script = Path(__file__).with_name("main.py")
    return Launch(
        command=command or [sys.executable, "-I", str(script), str(code), *map(str, packages)],
        reads=(code, *packages, *reads),
        name=f"the process of engine {engine}",
        max_unread=(AHEAD + 1) * (HEADER.size + layout.frame_bytes),
        gpu=gpu,
        memory=0 if command else SLOTS * layout.frame_bytes,
    )


def _package_directories() -> tuple[Path, ...]:
    origins = [spec.origin for spec in map(find_spec, _PACKAGES) if spec and spec.origin]
    return tuple(dict.fromkeys(Path(origin).parents[1] for origin in origins))


class SwapProcess:
    """A `BufferedFilter` in another process. `result` is its last answer, after `finish`."""

    def __init__(self, program: SandboxedProgram, layout: FrameLayout, *, name: str) -> None:
        self._program, self._name = program, name
        self._frame_bytes, self._memory = layout.frame_bytes, program.memory
        self._buffer = memoryview(b"")
        self._pushed = 0  # frames
        self._own: deque[int] = deque()  # numbers of the frames to come back
        self._unanswered = 0  # frames
        self.face: dict[str, Any] = {}
        self.result: dict[str, Any] = {}

    def begin(self, setup: Setup, picture: Picture) -> None:
        self._send(replace(setup, memory=self._memory.descriptor if self._memory else None).encode())
        self._send(header(Request.PICTURE, len(picture.pixels)))
        self._send(picture.pixels)
        _, data = self._receive(Answer.READY)
        self.face = self._decoded(data)

    def push(self, planes: bytearray, *, own: bool) -> Iterator[Planes]:
        self.buffer()[:] = planes
        yield from self.push_buffered(own=own)

    def buffer(self) -> memoryview:
        if self._own and self._pushed - self._own[0] >= SLOTS:
            raise FacecliError(f"{self._name} holds back too many frames")
        self._buffer = self._place(self._pushed) if self._memory else memoryview(bytearray(self._frame_bytes))
        return self._buffer

    def push_buffered(self, *, own: bool) -> Iterator[Planes]:
        inline = b"" if self._memory else self._buffer
        self._send(header(Request.OWN_FRAME if own else Request.OTHER_FRAME, len(inline)))
        self._send(inline)
        if own:
            self._own.append(self._pushed)
        self._pushed += 1
        self._unanswered += 1
        if self._unanswered > AHEAD:
            yield from self._answer()

    def finish(self) -> Iterator[Planes]:
        while self._unanswered:
            yield from self._answer()
        self._send(header(Request.END))
        while (message := self._receive(Answer.FRAME, Answer.RESULT))[0] is Answer.FRAME:
            yield self._returned(message[1])
        self.result = self._decoded(message[1])

    def _answer(self) -> Iterator[Planes]:
        self._unanswered -= 1
        kind, data = self._receive(Answer.FRAME, Answer.NONE)
        if kind is Answer.FRAME:
            yield self._returned(data)

    def _returned(self, inline: bytearray) -> Planes:
        """The next of the frames to come back."""
        if not self._own:
            raise FacecliError(f"{self._name} returned a frame more than it was given")
        number = self._own.popleft()
        return self._place(number) if self._memory else inline

    def _place(self, number: int) -> memoryview:
        """The place of a frame in the shared memory."""
        assert self._memory
        begin = number % SLOTS * self._frame_bytes
        return self._memory.view[begin : begin + self._frame_bytes]

    def _send(self, data: bytes | memoryview) -> None:
        if not data or self._program.write(data):
            return
        for _ in range(AHEAD + 1):  # what it sent before it ended may say why
            self._receive(*Answer)
        raise self._ended()

    def _receive(self, *allowed: Answer) -> tuple[Answer, bytearray]:
        head = self._program.read(HEADER.size)
        if not head:
            raise self._ended()
        try:
            parsed = Header.parse(head)
            kind = parsed.check(
                *allowed, Answer.REFUSED, frame_bytes=0 if self._memory else self._frame_bytes
            )
            data = self._program.read(parsed.length)
            if len(data) != parsed.length:
                raise self._ended()
            if kind is not Answer.REFUSED:
                return kind, data
            refusal = decode_json(data)
        except Malformed as malformed:
            raise self._malformed(malformed) from malformed
        kind_of_error = _REFUSALS.get(str(refusal.get("reason")), MediaRefused)
        raise kind_of_error(escaped(str(refusal.get("message", "")))[:_MAX_MESSAGE])

    def _decoded(self, data: bytearray) -> dict[str, Any]:
        try:
            return decode_json(data)
        except Malformed as malformed:
            raise self._malformed(malformed) from malformed

    def _ended(self) -> FacecliError:
        """Describe its end; ProgramKilled flies by itself."""
        ended = self._program.wait()
        names = {-number: number.name for number in signal.Signals}
        end = names.get(ended.exit_code, f"exit code {ended.exit_code}")
        cause = f" ({ended.error_text})" if ended.error_text else ""
        return FacecliError(f"{self._name} ended with {end}{cause}")

    def _malformed(self, malformed: Malformed) -> FacecliError:
        return FacecliError(f"{self._name} sent an invalid answer: {malformed}")
