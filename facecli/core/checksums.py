"""crc32c checksums of bytes, and of a whole from the checksums of its parts."""

from collections.abc import Iterable
from functools import lru_cache
from typing import BinaryIO

import google_crc32c

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected (RFC 3720, B.4)

BLOCK = 1024 * 1024  # bytes of a file read at once

_Matrix = tuple[int, ...]


def crc32c(data: bytes, start: int = 0) -> int:
    """Checksum of `data`, continuing `start`, the checksum of the bytes before."""
    return int(google_crc32c.extend(start, data))


def crc32c_of(file: BinaryIO) -> int:
    """Checksum of the rest of an open file."""
    checksum = 0
    while block := file.read(BLOCK):
        checksum = crc32c(block, checksum)
    return checksum


def append(whole: int, part: int, length: int) -> int:
    """Checksum of bytes with the checksum `whole`, followed by `length` bytes with the checksum `part`.

    Appending n bytes multiplies a checksum by x^8n in GF(2); crc(AB) = crc(A)·x^8|B| xor crc(B).
    """
    return _times(_append_zeros(length), whole) ^ part


def join(parts: Iterable[tuple[int, int]]) -> int:
    """Checksum of a whole from the (crc32c, length in bytes) of its parts, in order, reading none of them."""
    whole = 0
    for crc, length in parts:
        whole = append(whole, crc, length)
    return whole


@lru_cache(maxsize=64)
def _append_zeros(length: int) -> _Matrix:
    """The operator that appends `length` zero bytes to a checksum, by repeated squaring."""
    one_bit: _Matrix = (_POLYNOMIAL, *(1 << n for n in range(31)))
    operator = _square(_square(_square(one_bit)))
    result: _Matrix = tuple(1 << n for n in range(32))
    while length:
        if length & 1:
            result = tuple(_times(operator, row) for row in result)
        operator = _square(operator)
        length >>= 1
    return result


def _square(matrix: _Matrix) -> _Matrix:
    return tuple(_times(matrix, row) for row in matrix)


def _times(matrix: _Matrix, vector: int) -> int:
    product = 0
    for row in matrix:
        if vector & 1:
            product ^= row
        vector >>= 1
        if not vector:
            break
    return product
