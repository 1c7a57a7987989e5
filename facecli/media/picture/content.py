"""The content of a picture file: what its pixels are made of, as a file, apart from its metadata.

Theory of operation: metadata never decides whether a picture is taken. A walker per container (jpeg, png,
webp) keeps the parts from which pixels are decoded and collects EXIF, XMP and the ICC profile; the decoder
reads only what was kept, so nothing in a comment, a text or a thumbnail can make it fail. A walker refuses
nothing: whatever it does not understand it keeps, for the decoder to judge.
"""

import io
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_METADATA = 16 * 1024 * 1024  # bytes of one piece of metadata; a larger one is ignored


@dataclass(slots=True)
class Content:
    """Pieces of a file in order, each a range of its offsets or bytes in their place, and its metadata."""

    pieces: list[range | bytes] = field(default_factory=list)
    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""

    def keep(self, start: int, end: int) -> None:
        """Keep a range of offsets; neighbours become one piece."""
        last = self.pieces[-1] if self.pieces else b""
        if isinstance(last, range) and last.stop == start:
            self.pieces[-1] = range(last.start, end)
        elif end > start:
            self.pieces.append(range(start, end))


class ContentFile(io.RawIOBase):
    """The kept pieces of a source file, read one after the other."""

    def __init__(self, source: BinaryIO, content: Content) -> None:
        self._source = source
        self._pieces = content.pieces
        self._starts = [0]
        for piece in self._pieces:
            self._starts.append(self._starts[-1] + len(piece))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        index = bisect_right(self._starts, self._at) - 1
        if index >= len(self._pieces):
            return 0
        piece = self._pieces[index][self._at - self._starts[index] :][: len(buffer)]
        if isinstance(piece, range):
            self._source.seek(piece.start)
            data = self._source.read(len(piece))
        else:
            data = piece
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
