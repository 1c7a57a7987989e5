"""The plain transfer that upload runs are compared with."""

import os
from pathlib import Path

import pytest

from facecli.bench.plain_transfer import PlainTransfer
from facecli.core.errors import StorageFailed

SIZE = 2 * 1024 * 1024 + 7


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(os.urandom(SIZE))
    return path


def transfer(content: Path, *, durable: bool = True) -> PlainTransfer:
    return PlainTransfer(content=content, folder=content.parent, connections=2, files=3, durable=durable)


@pytest.mark.parametrize(("durable", "flushed"), [(True, [SIZE] * 6), (False, [])])
def test_every_file_is_received_whole_and_flushed_if_the_server_flushes(
    content: Path, durable: bool, flushed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, sizes = os.fsync, list[int]()

    def observed(file: int) -> None:
        sizes.append(os.fstat(file).st_size)
        fsync(file)

    monkeypatch.setattr(os, "fsync", observed)
    result = transfer(content, durable=durable).measure()
    assert sizes == flushed
    assert result.seconds > 0
    assert (result.disk_rate or 0) > 0 if durable else result.disk_rate is None


def test_nothing_but_the_content_is_left(content: Path) -> None:
    transfer(content).measure()
    assert list(content.parent.iterdir()) == [content]


def test_a_transfer_that_fails_is_an_error_that_names_the_folder(content: Path) -> None:
    content.unlink()
    with pytest.raises(StorageFailed, match=f"{content.parent} cannot be read or written: No such file"):
        transfer(content).measure()
