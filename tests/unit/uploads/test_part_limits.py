"""The chunk size that fits a store with limits of its parts, such as S3."""

from typing import Any

import pytest

from facecli.core.blobs import PartLimits
from facecli.core.errors import FileTooLarge, InvalidInput
from facecli.uploads.admission import UploadAdmission
from facecli.uploads.upload import MAX_CHUNK_SIZE, FileType, NewUpload

MIB = 1024 * 1024


class Limited:
    """A blob store with the limits of S3."""

    part_limits = PartLimits(min_size=5 * MIB, max_count=10_000)


def announced(size: int | None, chunk_size: int, chunks: int | None = None) -> NewUpload:
    return NewUpload.checked(
        owner="ann",
        name="a.mp4",
        file_type=FileType.VIDEO,
        size=size,
        chunk_size=chunk_size,
        total_chunks=chunks,
    )


@pytest.mark.parametrize(
    ("size", "chunk_size", "fitted"),
    [
        (4 * MIB, 5 * MIB, 5 * MIB),  # one chunk may be small
        (4 * MIB, 64 * 1024, 5 * MIB),
        (20 * MIB, MIB, 5 * MIB),
        (20 * MIB, 10 * MIB, 10 * MIB),
        (100_000 * MIB + 1, 10 * MIB, 10 * MIB + 1),
        (16 * 10_000 * MIB, 5 * MIB, MAX_CHUNK_SIZE),
    ],
)
def test_the_chunk_size_follows_from_the_size(size: int, chunk_size: int, fitted: int) -> None:
    new = admission().fitted(announced(size, chunk_size))
    assert new.chunk_size == fitted
    assert new.total_chunks == -(-size // fitted) <= 10_000


def test_a_file_that_no_chunk_size_fits_is_refused() -> None:
    with pytest.raises(FileTooLarge, match="10000"):
        admission().fitted(announced(16 * 10_000 * MIB + 1, MAX_CHUNK_SIZE))
    with pytest.raises(InvalidInput, match="at least 5242880 bytes"):
        admission().fitted(announced(None, MIB, 3))
    assert admission().fitted(announced(None, MIB, 1)).chunk_size == MIB


def admission() -> UploadAdmission:
    blobs: Any = Limited()
    quota: Any = None
    return UploadAdmission(blobs=blobs, quota=quota, max_file_size=0)
