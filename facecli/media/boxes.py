"""The boxes of an MP4 or MOV at its top level: enough to tell whether the end of the file is missing."""

from pathlib import Path

_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16
_MAX_BOXES = 200_000  # a recording of 3 hours in fragments of a quarter of a second has 90,000


def is_whole(path: Path) -> bool:
    """Return whether every box is complete and the index covers the file, which it does not in fragments."""
    size, at, kinds = path.stat().st_size, 0, set[bytes]()
    with path.open("rb") as file:
        for _ in range(_MAX_BOXES):
            if at == size:
                return b"moov" in kinds and b"moof" not in kinds
            file.seek(at)
            header = file.read(_LONG_HEADER_BYTES)
            if len(header) < _HEADER_BYTES:
                return False
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            elif length == 0:  # to the end of the file
                length = size - at
            if length < _HEADER_BYTES or at + length > size:
                return False
            kinds.add(kind)
            at += length
    return False
