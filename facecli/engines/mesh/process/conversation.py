"""Conversation: the process's side of the pipes. The engine, on the other side, is trusted."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from facecli.engines.mesh.process.messages import HEADER, Answer, Header, Request, encode_json, header


class Conversation:
    """Reads requests and writes answers."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers

    def receive(self) -> tuple[Request, bytearray]:
        """Return the next request; EOFError when the engine has gone."""
        parsed = Header.parse(self._read(HEADER.size))
        return Request(parsed.kind), self._read(parsed.length)

    def send(self, kind: Answer, data: bytes | bytearray = b"") -> None:
        self._answers.write(header(kind, len(data)))
        self._answers.write(data)
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
