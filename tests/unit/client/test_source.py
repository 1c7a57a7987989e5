"""The local file of an upload."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from facecli.client.send_rate import SendRateLimiter
from facecli.client.source import Source
from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.uploads.upload import FINGERPRINT_SIZE, FRAME_SIZE

SIZE = 3 * FINGERPRINT_SIZE


def unlimited() -> SendRateLimiter:
    return SendRateLimiter(0, clock=lambda: 0.0, sleep=lambda seconds: None)


def test_a_chunk_is_read_in_frames_and_the_last_one_has_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = os.urandom(FRAME_SIZE + 5)
    path.write_bytes(data)
    with closing(Source(path)) as source:
        frames = list(source.frames(0, 2 * FRAME_SIZE, unlimited()))
    assert [(f.offset, len(f.data)) for f in frames] == [(0, FRAME_SIZE), (FRAME_SIZE, 5)]
    assert [f.chunk_crc32c for f in frames] == [None, crc32c(data)]


def test_the_fingerprint_covers_both_ends(tmp_path: Path) -> None:
    prints = set()
    for number, data in enumerate([b"a" + b"x" * SIZE, b"x" * SIZE + b"a"]):
        (tmp_path / str(number)).write_bytes(data)
        with closing(Source(tmp_path / str(number))) as source:
            prints.add(source.fingerprint())
    assert len(prints) == 2


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with closing(Source(path)) as source:
        source.check_unchanged()
        path.write_bytes(b"after, and longer")
        with pytest.raises(InvalidInput, match="changed while it was read"):
            source.check_unchanged()
        os.truncate(path, 1)
        with pytest.raises(InvalidInput, match="became shorter"):
            list(source.frames(0, 10, unlimited()))


@pytest.mark.parametrize("kind", ["missing", "empty", "directory", "fifo"])
def test_an_unreadable_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(InvalidInput, match=kind):
        Source(path)
