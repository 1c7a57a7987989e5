"""Builders for the parts of containers: MP4 boxes, Matroska elements, RIFF and PNG chunks."""

import struct
import zlib


def box(kind: str, *parts: bytes) -> bytes:
    """Return a box of an MP4 or MOV."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind.encode("latin-1")) + content


def full_box(kind: str, *parts: bytes, flags: int = 0) -> bytes:
    """Return a box with version 0 and flags."""
    return box(kind, struct.pack(">I", flags), *parts)


def element(identifier: int, *parts: bytes) -> bytes:
    """Return a Matroska element, its size in eight bytes."""
    content = b"".join(parts)
    identity = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return identity + (1 << 56 | len(content)).to_bytes(8, "big") + content


def encode_number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def riff_chunk(kind: str, *parts: bytes) -> bytes:
    """Return a chunk of an AVI or WebP."""
    content = b"".join(parts)
    return kind.encode() + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def prepend(prefix: bytes, mp4: bytes) -> bytes:
    """Return the MP4 behind a prefix, its chunk offsets adjusted."""
    data, at = bytearray(mp4), -1
    while (at := data.find(b"stco", at + 1)) >= 0:
        for entry in range(struct.unpack_from(">I", data, at + 8)[0]):
            position = at + 12 + 4 * entry
            struct.pack_into(">I", data, position, struct.unpack_from(">I", data, position)[0] + len(prefix))
    return prefix + bytes(data)


def atom_end(data: bytes, kind: str) -> int:
    """Return the end of the first box of this kind."""
    begin = data.index(kind.encode()) - 4
    return begin + int.from_bytes(data[begin : begin + 4], "big")
