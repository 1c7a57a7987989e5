"""Builders for pictures with odd metadata: EXIF fields, ICC profiles, JPEG segments, PNG and WebP chunks."""

import io
import struct
from collections.abc import Sequence

from PIL import Image

from tests.hostile.containers import png_chunk

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIZE = (90, 30)  # of `thirds`
ORIENTATION = 0x0112  # EXIF tag

Field = tuple[int, int, int, bytes]  # tag, type, count, value


def thirds(mode: str = "RGB") -> Image.Image:
    """90 × 30: red, green and blue, from the left."""
    picture = Image.new("RGB", SIZE, GREEN)
    picture.paste(RED, (0, 0, 30, 30))
    picture.paste(BLUE, (60, 0, 90, 30))
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, format=kind, **{"quality": 95, "lossless": True, **options})
    return target.getvalue()


def exif(*fields: Field, order: str = ">") -> bytes:
    """A TIFF directory with these fields in this order; values longer than four bytes follow it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(fields))
    entries, values, at = b"", b"", 8 + 2 + 12 * len(fields) + 4
    for tag, kind, count, value in fields:
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{order}I", at + len(values))
        entries += struct.pack(f"{order}HHI", tag, kind, count) + place
        values += value if len(value) > 4 else b""
    return head + entries + bytes(4) + values


def turned(value: int = 6, *, order: str = ">") -> Field:
    """The orientation as the standard writes it; 6 is to be turned right."""
    return (ORIENTATION, 3, 1, struct.pack(f"{order}H", value))


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes, picture: Image.Image | None = None, **options: object) -> bytes:
    """A JPEG with these segments behind its start."""
    data = saved(picture or thirds(), "JPEG", subsampling=0, **options)
    return data[:2] + b"".join(segments) + data[2:]


def exif_jpeg(data: bytes) -> bytes:
    return jpeg(segment(0xE1, b"Exif\0\0" + data))


def png(*chunks: bytes, picture: Image.Image | None = None, **options: object) -> bytes:
    """A PNG with these chunks behind its header."""
    data = saved(picture or thirds(), "PNG", **options)
    return data[:33] + b"".join(chunks) + data[33:]


def chunk(kind: str, data: bytes) -> bytes:
    return png_chunk(kind.encode(), data)


def webp(*chunks: tuple[str, bytes], flags: int = 0, picture: Image.Image | None = None) -> bytes:
    """A WebP with a VP8X that has these flags, and these chunks behind the pixels."""
    picture = picture or thirds()
    pixels = saved(picture, "WEBP")[12:]
    width, height = ((side - 1).to_bytes(3, "little") for side in picture.size)
    parts = [_riff("VP8X", bytes([flags, 0, 0, 0]) + width + height), pixels]
    body = b"WEBP" + b"".join(parts) + b"".join(_riff(kind, data) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def rgb_profile(colorants: Sequence[Sequence[float]], gamma: float) -> bytes:
    """A display profile of three colorants in XYZ (D50) and a gamma."""
    tags = {f"{name}XYZ": _xyz(xyz) for name, xyz in zip("rgb", colorants, strict=True)}
    return _profile("RGB ", "mntr", "XYZ ", {**tags, **{f"{name}TRC": _curve(gamma) for name in "rgb"}})


def gray_profile(gamma: float) -> bytes:
    return _profile("GRAY", "mntr", "XYZ ", {"kTRC": _curve(gamma)})


def ink_profile(lab: Sequence[int]) -> bytes:
    """A printer profile in which every mix of inks has one colour, in 8-bit Lab."""
    identity = [65536, 0, 0, 0, 65536, 0, 0, 0, 65536]
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *identity)
    table += ramp * 4 + bytes(lab) * 2**4 + ramp * 3
    return _profile("CMYK", "prtr", "Lab ", {"A2B0": table, "A2B1": table, "A2B2": table})


def _riff(kind: str, data: bytes) -> bytes:
    return kind.encode() + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _profile(space: str, device: str, connection: str, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78), **tags}
    tags |= {"cprt": b"text" + bytes(4) + b"none\0", "wtpt": _xyz((0.9642, 1.0, 0.8249))}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name.encode() + struct.pack(">II", at + len(body), len(data))
        body += padded
    size = at + len(body)
    header = struct.pack(
        ">I4sI4s4s4s", size, b"", 0x02400000, device.encode(), space.encode(), connection.encode()
    )
    header = header.ljust(36, b"\0") + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
