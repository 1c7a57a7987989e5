"""Boxes of an MP4, elements of a Matroska file and chunks of a RIFF or a PNG, as bytes."""

import struct
import zlib


def box(kind: str, *parts: bytes) -> bytes:
    """One of MP4's or MOV's."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind.encode("latin-1")) + content


def full(kind: str, *parts: bytes, flags: int = 0) -> bytes:
    """A box with a version, 0, and flags."""
    return box(kind, struct.pack(">I", flags), *parts)


def element(number: int, *parts: bytes) -> bytes:
    """One of Matroska's, its size in eight bytes."""
    content = b"".join(parts)
    identity = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return identity + (1 << 56 | len(content)).to_bytes(8, "big") + content


def number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def riff(kind: str, *parts: bytes) -> bytes:
    """One of AVI's or WebP's."""
    content = b"".join(parts)
    return kind.encode() + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def chunk(kind: bytes, content: bytes) -> bytes:
    """One of a PNG's."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def in_front(what: bytes, mp4: bytes) -> bytes:
    """An MP4 behind something else, with its chunks where its index then says."""
    data, at = bytearray(mp4), -1
    while (at := data.find(b"stco", at + 1)) >= 0:
        for entry in range(struct.unpack_from(">I", data, at + 8)[0]):
            placement = at + 12 + 4 * entry
            struct.pack_into(">I", data, placement, struct.unpack_from(">I", data, placement)[0] + len(what))
    return what + bytes(data)


def atom_end(data: bytes, kind: str) -> int:
    """Where the first box of this kind ends."""
    begin = data.index(kind.encode()) - 4
    return begin + int.from_bytes(data[begin : begin + 4], "big")
