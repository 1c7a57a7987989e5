"""What every BlobStore does."""

from pathlib import Path

import pytest

from facecli.core.blobs import BlobStore
from facecli.core.errors import DiskFull, InvalidInput, StorageFailed

KEY = "uploads/u1"


def content(blobs: BlobStore, key: str = KEY, *, offset: int = 0) -> bytes:
    return b"".join(blobs.read(key, offset=offset, block=4))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "result.part"
    path.write_bytes(b"result")
    return path


def test_what_is_written_anywhere_is_read_from_anywhere(blobs: BlobStore) -> None:
    blobs.create(KEY, size=10)
    with blobs.writer(KEY) as writer:
        writer.write(5, b"56789")
        writer.write(0, b"01234")
        writer.flush()
        assert writer.size() == 10
        assert writer.read(3, 4) == b"3456"
    assert content(blobs) == b"0123456789"
    assert content(blobs, offset=8) == b"89"
    assert content(blobs, offset=10) == content(blobs, offset=11) == b""
    assert blobs.path(KEY).read_bytes() == b"0123456789"


def test_a_blob_of_unknown_size_grows(blobs: BlobStore) -> None:
    blobs.create(KEY, size=None)
    with blobs.writer(KEY) as writer:
        assert writer.size() == 0
        writer.write(0, b"abc")
        assert writer.size() == 3


def test_a_blob_is_cut_to_its_size(blobs: BlobStore) -> None:
    blobs.create(KEY, size=None)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"abcdef")
        writer.truncate(3)
        assert writer.size() == 3
    assert content(blobs) == b"abc"


def test_an_opened_blob_keeps_what_it_had(blobs: BlobStore) -> None:
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"abcd")
    with blobs.writer(KEY) as writer:
        writer.write(1, b"X")
    assert content(blobs) == b"aXcd"


def test_blocks_are_no_longer_than_asked_for(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    assert list(blobs.read(KEY, offset=1, block=2)) == [b"es", b"ul", b"t"]


def test_a_read_past_the_end_fails(blobs: BlobStore) -> None:
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer, pytest.raises(StorageFailed):
        writer.read(2, 3)


def test_no_second_blob_takes_the_place_of_the_first(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    with pytest.raises(StorageFailed):
        blobs.create(KEY, size=4)
    assert content(blobs) == b"result"


def test_what_is_not_there_is_said(blobs: BlobStore) -> None:
    with pytest.raises(FileNotFoundError):
        next(blobs.read(KEY, offset=0, block=4))
    with pytest.raises(FileNotFoundError):
        blobs.path(KEY)
    with pytest.raises(StorageFailed):
        blobs.writer(KEY)


def test_more_than_the_disk_has_is_refused_and_leaves_nothing(blobs: BlobStore) -> None:
    free = blobs.free_bytes()
    with pytest.raises(DiskFull, match=r"no room for \d+ bytes, \d+ are free") as caught:
        blobs.create(KEY, size=free * 2)
    assert caught.value.retry_after > 0
    assert blobs.keys("uploads") == []
    assert blobs.free_bytes() > free // 2


def test_put_moves_a_finished_file_in(blobs: BlobStore, source: Path) -> None:
    blobs.put("outputs/t1/r1", source)
    assert content(blobs, "outputs/t1/r1") == b"result"
    assert not source.exists()


def test_put_again_takes_the_newer_file(blobs: BlobStore, source: Path) -> None:
    blobs.put("outputs/t1/r1", source)
    source.write_bytes(b"again")
    blobs.put("outputs/t1/r1", source)
    assert content(blobs, "outputs/t1/r1") == b"again"


def test_put_of_nothing_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        blobs.put("outputs/t1/r1", tmp_path / "gone")
    assert blobs.keys("outputs") == []


def test_deleting_is_harmless_twice_and_spares_the_rest(blobs: BlobStore, source: Path) -> None:
    blobs.create(KEY, size=4)
    blobs.put("uploads/u1.whole", source)
    blobs.delete(KEY)
    blobs.delete(KEY)
    assert blobs.keys("uploads") == ["uploads/u1.whole"]
    blobs.create(KEY, size=4)


def test_an_open_blob_can_be_deleted(blobs: BlobStore) -> None:
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer:
        blobs.delete(KEY)
        writer.write(0, b"abcd")
        writer.flush()
    assert blobs.keys("uploads") == []


def test_a_size_is_that_of_the_bytes(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    assert blobs.size(KEY) == 6
    blobs.delete(KEY)
    with pytest.raises(FileNotFoundError):
        blobs.size(KEY)


def test_the_last_blob_of_a_folder_takes_the_folder_along(blobs: BlobStore, source: Path) -> None:
    for run in ("r1", "r2"):
        source.write_bytes(b"result")
        blobs.put(f"outputs/t1/{run}", source)
    blobs.delete("outputs/t1/r1")
    assert blobs.keys("outputs") == ["outputs/t1/r2"]
    blobs.delete("outputs/t1/r2")
    assert blobs.keys("outputs") == []


def test_keys_are_listed_by_prefix(blobs: BlobStore, source: Path) -> None:
    assert blobs.keys("uploads") == []
    blobs.create("uploads/u2", size=1)
    blobs.create("uploads/u1", size=None)
    blobs.put("outputs/t1/r1", source)
    assert blobs.keys("uploads") == ["uploads/u1", "uploads/u2"]
    assert blobs.keys("outputs") == ["outputs/t1/r1"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "uploads",
        "uploads/",
        "/uploads/u1",
        "uploads//u1",
        "uploads/..",
        "uploads/../u1",
        "../uploads/u1",
        "uploads/u1/..",
        "uploads/.hidden",
        "uploads/a b",
        "uploads/a\nb",
        "uploads/u1\n",
        "uploads/a\0b",
        "uploads/a\\b",
        "uploads/ä",
        "uploads/data",
        "uploads/" + "x" * 129,
    ],
)
def test_an_odd_key_is_refused_by_everything(blobs: BlobStore, source: Path, key: str) -> None:
    for act in (
        lambda: blobs.create(key, size=1),
        lambda: blobs.writer(key),
        lambda: list(blobs.read(key, offset=0, block=4)),
        lambda: blobs.path(key),
        lambda: blobs.size(key),
        lambda: blobs.put(key, source),
        lambda: blobs.delete(key),
    ):
        with pytest.raises(InvalidInput):
            act()
    assert source.exists()
