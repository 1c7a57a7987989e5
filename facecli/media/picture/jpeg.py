"""The parts of a JPEG: its segments up to the first scan.

https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
"""

import struct
from typing import BinaryIO

from facecli.media.picture.content import Content

MAGIC = b"\xff\xd8\xff"

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})  # markers without a length, and stuffed bytes
_EXIF, _XMP, _ICC = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
# Segments that decide how colours are stored, and the length from which decoders heed them.
_COLOUR_SEGMENTS = {_APP0: (b"JFIF\0", 14), _APP14: (b"Adobe", 12)}


def read(file: BinaryIO, size: int) -> Content:
    """Walk over the segments; from the first scan on, everything is kept."""
    content, profile = Content(), dict[int, bytes]()
    content.keep(0, 2)
    file.seek(2)
    while marker := _next_marker(file):
        start = file.tell() - 2
        if marker in {_SOS, _EOI}:
            content.keep(start, size)
            break
        if marker in _BARE:
            continue
        length = int.from_bytes(file.read(2), "big")
        if _APP0 <= marker <= _APP15 or marker == _COM:
            data = file.read(max(0, length - 2))
            if marker in _COLOUR_SEGMENTS:
                name, least = _COLOUR_SEGMENTS[marker]
                if data.startswith(name) and len(data) >= least:
                    content.keep(start, start + 2 + length)
            _collect(content, profile, marker, data)
        else:
            content.keep(start, start + 2 + length)
            file.seek(start + 2 + max(2, length))
    content.icc = _joined(profile)
    return content


def _next_marker(file: BinaryIO) -> int:
    """Return the next marker, past any filling or junk; 0 at the end of the file."""
    while byte := file.read(1):
        while byte == b"\xff":
            byte = file.read(1)
            if byte not in {b"\xff", b"\0"}:
                return byte[0] if byte else 0
    return 0


def _collect(content: Content, profile: dict[int, bytes], marker: int, data: bytes) -> None:
    if marker == _APP1 and data.startswith(_EXIF):
        content.exif = content.exif or data[len(_EXIF) + 1 :]
    elif marker == _APP1 and data.startswith(_XMP):
        content.xmp = content.xmp or data[len(_XMP) :]
    elif marker == _APP2 and data.startswith(_ICC) and len(data) > len(_ICC) + 2:
        number, count = struct.unpack_from("BB", data, len(_ICC))
        profile.setdefault(number, bytes([count]) + data[len(_ICC) + 2 :])


def _joined(profile: dict[int, bytes]) -> bytes:
    """Return the profile from its numbered parts, empty unless all are there."""
    counts = {part[0] for part in profile.values()}
    if counts != {len(profile)} or sorted(profile) != list(range(1, len(profile) + 1)):
        return b""
    return b"".join(profile[number][1:] for number in sorted(profile))
