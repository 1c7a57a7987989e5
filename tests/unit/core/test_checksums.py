"""The checksum of a whole follows from those of its parts, however it is divided."""

import google_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from facecli.core.checksums import crc32c, join

CHECK = 0xE3069283  # crc32c of b"123456789" (RFC 3720, B.4; the usual check value)


def test_it_is_the_castagnoli_checksum() -> None:
    assert crc32c(b"123456789") == CHECK
    assert crc32c(b"") == 0


@given(st.binary(), st.binary())
def test_a_checksum_can_be_continued(first: bytes, second: bytes) -> None:
    assert crc32c(second, crc32c(first)) == crc32c(first + second)


@given(st.lists(st.binary(max_size=300)))
def test_joined_parts_have_the_checksum_of_the_whole(parts: list[bytes]) -> None:
    assert join((crc32c(part), len(part)) for part in parts) == crc32c(b"".join(parts))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**40))), st.data())
def test_joining_is_associative(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    """For parts of any size, without their bytes."""
    cut = data.draw(st.integers(0, len(parts)))
    head, tail = parts[:cut], parts[cut:]
    halves = [(join(half), sum(length for _, length in half)) for half in (head, tail)]
    assert join(halves) == join(parts)


def test_nothing_joined_is_the_checksum_of_nothing() -> None:
    assert join([]) == crc32c(b"") == 0


def test_zeros_of_a_terabyte_agree_with_repeated_doubling() -> None:
    crc, length = int(google_crc32c.value(bytes(1024))), 1024
    while length < 2**40:
        crc, length = join([(crc, length), (crc, length)]), length * 2
    kibibyte = (int(google_crc32c.value(bytes(1024))), 1024)
    assert join([kibibyte, (join([(crc, length)]), length)]) == join([(crc, length), kibibyte])
