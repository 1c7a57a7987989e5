"""Writer of NUT, ffmpeg's own container, for one stream of raw frames: it gives every frame its exact time.

Only what raw frames need: one stream, no pts deltas, and a syncpoint before every frame, so that each stands
for itself. The format: https://git.ffmpeg.org/gitweb/nut.git, docs/nut.txt.
"""

from fractions import Fraction

from facecli.core.video.frames import FrameLayout

_IDENTIFIER = b"nut/multimedia container\0"
_MAIN, _STREAM, _SYNCPOINT = 0x4E4D7A561F5F04AD, 0x4E5311405BF2F9DB, 0x4E4BE4ADEECA4569
_VERSION, _MAX_DISTANCE = 3, 65_536
_KEY, _CODED_PTS, _SIZE_MSB, _CHECKSUM = 1, 8, 32, 64  # flags of a frame
_PTS_SHIFT = 7  # a time is coded as a whole, above what would be its low bits
_FRAME_CODES = 255  # all of them but N, with which a startcode begins
_FRAME_CODE = b"\0"
_VIDEO = 0
# Bits and steps of colour → the name of the planes.
_FOURCCS = {
    (8, 2, 2): b"I420",
    (8, 2, 1): b"Y42B",
    (8, 1, 1): b"444P",
    (10, 2, 2): b"Y3\x0b\x0a",
    (10, 2, 1): b"Y3\x0a\x0a",
    (10, 1, 1): b"Y3\x00\x0a",
}
_POLYNOMIAL = 0x04C11DB7


def nut_header(layout: FrameLayout, *, ticks: int, pixel_aspect: Fraction) -> bytes:
    """Return the beginning of the file. `pixel_aspect` is 0 when unknown; times count `ticks` per second."""
    flags = _KEY | _CODED_PTS | _SIZE_MSB | _CHECKSUM
    main = [_VERSION, 1, _MAX_DISTANCE, 1, 1, ticks]  # one stream, one clock
    main += [flags, 6, 0, 1, 0, 0, 0, _FRAME_CODES]  # all codes alike: pts 0, multiplier 1, no low bits
    main += [0]  # no elided headers
    stream = _numbers(0, _VIDEO) + _bytes(_FOURCCS[layout.bits, layout.column_step, layout.row_step])
    stream += _numbers(0, _PTS_SHIFT, _MAX_DISTANCE, 0, 0) + _bytes(b"")
    stream += _numbers(layout.width, layout.height, pixel_aspect.numerator)
    stream += _numbers(pixel_aspect.denominator if pixel_aspect else 0, 0)
    return _IDENTIFIER + _packet(_MAIN, _numbers(*main)) + _packet(_STREAM, stream)


def nut_frame_header(time: int, size: int) -> bytes:
    """Return the bytes before the data of a frame; `time` is in ticks."""
    header = _FRAME_CODE + _numbers(time + (1 << _PTS_SHIFT), size)
    return _packet(_SYNCPOINT, _numbers(time, 0)) + header + _crc(header)


def _packet(startcode: int, payload: bytes) -> bytes:
    body = payload + _crc(payload)
    return startcode.to_bytes(8, "big") + _numbers(len(body)) + body


def _numbers(*values: int) -> bytes:
    """Return variable-length integers: seven bits a byte, the high ones first."""
    coded = bytearray()
    for value in values:
        groups = [value & 0x7F]
        while value := value >> 7:
            groups.append(value & 0x7F | 0x80)
        coded += bytes(reversed(groups))
    return bytes(coded)


def _bytes(value: bytes) -> bytes:
    return _numbers(len(value)) + value


def _table_entry(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1) ^ (_POLYNOMIAL if crc & 0x80000000 else 0)
    return crc & 0xFFFFFFFF


_TABLE = tuple(map(_table_entry, range(256)))


def _crc(data: bytes) -> bytes:
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc.to_bytes(4, "big")
