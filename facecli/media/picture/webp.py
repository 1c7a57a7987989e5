"""The parts of a WebP: its chunks. https://developers.google.com/speed/webp/docs/riff_container"""

import struct
from typing import BinaryIO

from facecli.media.picture.content import MAX_METADATA, Content

MAGIC = b"RIFF"

_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_METADATA_FLAGS = 0x20 | 0x08 | 0x04  # of VP8X: ICC profile, EXIF, XMP
_HEADER = 12  # bytes before the first chunk


def read(file: BinaryIO, size: int) -> Content:
    """Walk over the chunks; those with pixels are kept, in a container of their length."""
    content = Content()
    file.seek(4)
    declared = 8 + int.from_bytes(file.read(4), "little")
    at, kept = _HEADER, 4
    while at + 8 <= min(size, declared):
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        end = at + 8 + length + length % 2
        if kind in _PIXELS:
            content.keep(at, min(end, size))
            kept += end - at
        elif kind == b"VP8X" and length >= 10:
            data = bytearray(file.read(length))
            data[0] &= ~_METADATA_FLAGS & 0xFF
            content.pieces.append(struct.pack("<4sI", kind, length) + data + bytes(length % 2))
            kept += end - at
        elif length <= MAX_METADATA:
            _collect(content, kind, file.read(length))
        at = end
    content.pieces.insert(0, b"RIFF" + struct.pack("<I", min(kept, 2**32 - 10)) + b"WEBP")
    return content


def _collect(content: Content, kind: bytes, data: bytes) -> None:
    """Take the first EXIF, XMP and profile."""
    if kind == b"EXIF":
        content.exif = content.exif or data
    elif kind == b"XMP ":
        content.xmp = content.xmp or data
    elif kind == b"ICCP":
        content.icc = content.icc or data
