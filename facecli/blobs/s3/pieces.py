"""The body of a request, kept in pieces."""

import io
from collections.abc import Sequence

Piece = bytes | memoryview


class Pieces:
    """A file for botocore that returns one whole piece a read, whatever size is asked for: nothing is copied.

    It is read from its beginning only, once to sign it and once each time it is sent.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._next = 0

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def read(self, size: int = -1) -> Piece:
        if self._next == len(self._pieces):
            return b""
        self._next += 1
        return self._pieces[self._next - 1]

    def tell(self) -> int:
        return sum(map(len, self._pieces[: self._next]))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seek anywhere but to the beginning")
        self._next = 0
        return 0
