"""Conversation: the process's side of the pipes. The engine, on the other side, is trusted."""

import mmap
from collections.abc import Mapping
from typing import Any, BinaryIO

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.process.messages import (
    HEADER,
    SLOTS,
    Answer,
    Header,
    Request,
    encode_json,
    header,
)

_FRAMES = (Request.OWN_FRAME, Request.OTHER_FRAME)


class Conversation:
    """Reads requests and writes answers."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers
        self._shared: memoryview | None = None
        self._frame_bytes = self._frames = 0

    def share(self, descriptor: int, layout: FrameLayout) -> None:
        """Take frames from shared memory, from its first place on."""
        self._frames, self._frame_bytes = 0, layout.frame_bytes
        if self._shared is None:
            self._shared = memoryview(mmap.mmap(descriptor, SLOTS * self._frame_bytes))

    def receive(self) -> tuple[Request, Planes]:
        """Return the next request; EOFError when the engine has gone."""
        parsed = Header.parse(self._read(HEADER.size))
        if self._shared is not None and parsed.kind in _FRAMES:
            begin = self._frames % SLOTS * self._frame_bytes
            self._frames += 1
            return Request(parsed.kind), self._shared[begin : begin + self._frame_bytes]
        return Request(parsed.kind), self._read(parsed.length)

    def send_frame(self, planes: Planes) -> None:
        """Return a frame that came, in order."""
        if self._shared is not None:
            self.send(Answer.FRAME)
            return
        self._answers.write(header(Answer.FRAME, len(planes)))
        self._answers.write(planes)
        self._answers.flush()

    def send(self, kind: Answer) -> None:
        self._answers.write(header(kind))
        self._answers.flush()

    def send_json(self, kind: Answer, values: Mapping[str, Any]) -> None:
        self._answers.write(encode_json(kind, values))
        self._answers.flush()

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        at = 0
        with memoryview(data) as view:
            while at < size:
                read = self._requests.readinto(view[at:])  # type: ignore[attr-defined]
                if not read:
                    raise EOFError
                at += read
        return data
