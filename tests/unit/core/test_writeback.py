"""Early writeback: it starts once for every byte, and only of durable writes."""

import os
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core import writeback
from facecli.core.blobs import PartLayout
from facecli.core.writeback import EARLY, EarlyWriteback


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The ranges whose writeback was started, as (offset, length)."""
    ranges: list[tuple[int, int]] = []

    def sync_file_range(file: int, offset: int, length: int, flags: int) -> None:
        os.fstat(file)
        ranges.append((offset, length))

    monkeypatch.setattr(writeback, "_sync_file_range", lambda: sync_file_range)
    return ranges


def test_writeback_starts_when_enough_is_written_and_once_for_each_byte(
    started: list[tuple[int, int]], tmp_path: Path
) -> None:
    with (tmp_path / "file").open("wb") as file:
        early = EarlyWriteback(file.fileno(), 10)
        for end in (EARLY, EARLY + 10, EARLY + 20):
            early.written(end)
        assert started == [(10, EARLY)]
        for _ in range(2):
            early.start(EARLY + 30)
    assert started == [(10, EARLY), (EARLY + 10, 20)]


@pytest.mark.parametrize("durable", [True, False])
def test_only_durable_parts_are_written_early(
    started: list[tuple[int, int]], tmp_path: Path, durable: bool
) -> None:
    layout = PartLayout(part_size=EARLY + 5, count=1, size=EARLY + 5)
    with LocalBlobs(tmp_path, durable=durable).begin("uploads/u1", layout) as blob:
        writer = blob.part(0, replaces=None)
        for data in (bytes(EARLY), bytes(5)):
            writer.write(data)
        writer.finish()
    assert started == ([(0, EARLY), (EARLY, 5)] if durable else [])


def test_the_kernel_takes_the_arguments(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(EARLY))
        file.flush()
        call = writeback._sync_file_range()
        assert call(file.fileno(), 1, EARLY, writeback._WRITE) == 0
        assert call(file.fileno(), -1, EARLY, writeback._WRITE) == -1
