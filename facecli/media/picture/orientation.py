"""The orientation of a picture, read from its EXIF or XMP, whatever else is in them.

https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E, 4.6.5
"""

import re
import struct

UPRIGHT = 1

_TAG = 0x0112
_ENTRY = 12  # bytes
# Types of a TIFF field → their format; the standard's is 3, and some cameras and tools write others.
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f"}
_ASCII, _RATIONALS, _DOUBLE = 2, {5: "II", 10: "ii"}, 12
_IN_XMP = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*([1-8])\s*[\"'<]")


def orientation(*, exif: bytes, xmp: bytes) -> int:
    """Return 1 to 8, as EXIF numbers them; 1 if neither says otherwise in a readable way."""
    found = _in_exif(exif.removeprefix(b"Exif\0\0"))
    if found is None and (match := _IN_XMP.search(xmp)):
        found = int(match[1])
    return found if found is not None else UPRIGHT


def _in_exif(exif: bytes) -> int | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return None
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    if directory + 2 > len(exif):
        return None
    (count,) = struct.unpack_from(f"{order}H", exif, directory)
    for at in range(directory + 2, directory + 2 + count * _ENTRY, _ENTRY):
        if at + _ENTRY > len(exif):
            return None
        tag, kind = struct.unpack_from(f"{order}HH", exif, at)
        if tag == _TAG and (value := _value(exif, at, kind, order)) in range(1, 9):
            return int(value)
    return None


def _value(exif: bytes, at: int, kind: int, order: str) -> float:
    """Return the value of the entry at this offset, 0 if it cannot be read."""
    in_place = at + 8
    (elsewhere,) = struct.unpack_from(f"{order}I", exif, in_place)
    if kind in _NUMBERS:
        return float(struct.unpack_from(order + _NUMBERS[kind], exif, in_place)[0])
    if kind == _ASCII:
        digit = exif[in_place : in_place + 1]
        return int(digit) if digit.isdigit() else 0
    if elsewhere + 8 > len(exif):
        return 0
    if kind in _RATIONALS:
        numerator, denominator = struct.unpack_from(order + _RATIONALS[kind], exif, elsewhere)
        return numerator / denominator if denominator else 0
    return float(struct.unpack_from(f"{order}d", exif, elsewhere)[0]) if kind == _DOUBLE else 0
