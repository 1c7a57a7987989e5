"""The parts of a PNG: its chunks. An APNG shows its still picture. https://www.w3.org/TR/png-3/"""

import struct
import zlib
from typing import BinaryIO

from facecli.media.picture.content import MAX_METADATA, Content

MAGIC = b"\x89PNG\r\n\x1a\n"

_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_METADATA = frozenset({b"eXIf", b"iCCP", b"iTXt", b"tEXt", b"zTXt"})
_XMP, _RAW_EXIF = b"XML:com.adobe.xmp", frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
_TRANSPARENCY = {0: 2, 2: 6}  # colour type → bytes of its tRNS; a palette's has up to 256


def read(file: BinaryIO, size: int) -> Content:
    """Walk over the chunks; pixels and a sound tRNS are kept."""
    content = Content()
    content.keep(0, len(MAGIC))
    at, colour = len(MAGIC), 0
    while at < size:
        file.seek(at)
        head = file.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"IEND")
        end = min(at + 12 + length, size)
        if kind in _PIXELS:
            content.keep(at, end)
        elif length <= MAX_METADATA and (kind in _METADATA or kind == b"tRNS"):
            data, checksum = file.read(length), file.read(4)
            if kind != b"tRNS":
                _collect(content, kind, data)
            elif zlib.crc32(kind + data).to_bytes(4, "big") == checksum and _fits(data, colour):
                content.keep(at, end)
        if kind == b"IHDR":
            colour = (file.read(10) + bytes(10))[9]
        if kind == b"IEND":
            break
        at = end
    return content


def _fits(transparency: bytes, colour: int) -> bool:
    return 0 < len(transparency) <= 256 and len(transparency) == _TRANSPARENCY.get(colour, len(transparency))


def _collect(content: Content, kind: bytes, data: bytes) -> None:
    """Take the first EXIF, XMP and profile. `eXIf` counts more than EXIF in a text."""
    if kind == b"eXIf":
        content.exif = data
        return
    keyword, _, rest = data.partition(b"\0")
    if kind == b"iCCP":
        content.icc = content.icc or _inflated(rest[1:])
    elif keyword == _XMP and kind == b"iTXt":
        packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        content.xmp = content.xmp or (_inflated(text) if packed else text)
    elif keyword in _RAW_EXIF and not content.exif:
        content.exif = _raw_profile(rest if kind == b"tEXt" else _inflated(rest[1:]))


def _inflated(data: bytes) -> bytes:
    """Return what was compressed, empty if it is broken or too large."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, MAX_METADATA)
    except zlib.error:
        return b""
    return plain if inflater.eof else b""


def _raw_profile(text: bytes) -> bytes:
    r"""Return the bytes of ImageMagick's text form: `\nexif\n  LENGTH\nHEX…`."""
    try:
        data = bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""
    return data
