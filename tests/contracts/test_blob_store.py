"""The contract of every BlobStore; its capabilities choose the variants."""

from pathlib import Path

import pytest

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout
from facecli.core.errors import DiskFull, InvalidInput, StorageFailed
from tests.support.blobs.staged import KEY, LAYOUT, PARTS, content


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "result.part"
    path.write_bytes(b"result")
    return path


def test_a_blob_that_is_too_long_is_trimmed(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    blobs.trim(KEY, 3)
    assert content(blobs) == b"res"


def test_blocks_are_no_longer_than_requested(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    assert list(blobs.open(KEY, offset=1, block=2)) == [b"es", b"ul", b"t"]


def test_an_existing_blob_cannot_be_begun_again(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    with pytest.raises(StorageFailed):
        blobs.begin(KEY, LAYOUT)
    assert content(blobs) == b"result"


def test_a_missing_blob_raises(blobs: BlobStore) -> None:
    with pytest.raises(FileNotFoundError):
        next(blobs.open(KEY, offset=0, block=4))
    with pytest.raises(FileNotFoundError), blobs.local_copy(KEY):
        pass
    with pytest.raises(FileNotFoundError):
        next(blobs.read_part(KEY, Part(token="0", size=1), block=1))
    with pytest.raises(StorageFailed):
        blobs.resume(KEY, LAYOUT, tokens={})
    assert not blobs.exists(KEY)


def test_a_blob_larger_than_the_disk_is_refused_and_leaves_nothing(blobs: BlobStore) -> None:
    if Capability.RESERVES_SPACE not in blobs.capabilities:
        return
    free = blobs.free_bytes()
    with pytest.raises(DiskFull, match=r"no room for \d+ bytes, \d+ are free") as caught:
        blobs.begin(KEY, PartLayout(part_size=free, count=2, size=free * 2))
    assert caught.value.retry_after > 0
    assert blobs.list("uploads") == []
    assert blobs.free_bytes() > free // 2


def test_put_stores_a_finished_file(blobs: BlobStore, source: Path) -> None:
    blobs.put("outputs/t1/r1", source)
    assert content(blobs, "outputs/t1/r1") == b"result"
    assert not source.exists()


def test_a_second_put_replaces_the_blob(blobs: BlobStore, source: Path) -> None:
    blobs.put("outputs/t1/r1", source)
    source.write_bytes(b"again")
    blobs.put("outputs/t1/r1", source)
    assert content(blobs, "outputs/t1/r1") == b"again"


def test_put_of_a_missing_file_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        blobs.put("outputs/t1/r1", tmp_path / "gone")
    assert blobs.list("outputs") == []


def test_deleting_twice_is_harmless_and_keeps_other_blobs(blobs: BlobStore, source: Path) -> None:
    blobs.begin(KEY, LAYOUT).close()
    blobs.put("uploads/u1.whole", source)
    blobs.delete(KEY)
    blobs.delete(KEY)
    assert blobs.list("uploads") == ["uploads/u1.whole"]
    blobs.begin(KEY, LAYOUT).close()


def test_an_open_blob_can_be_deleted(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        writer = blob.part(0, replaces=None)
        blobs.delete(KEY)
        if Capability.LOCAL_FILES in blobs.capabilities:
            writer.write(PARTS[0])
            writer.finish()
            blob.sync([writer.token or ""])
        writer.abort()
    assert blobs.list("uploads") == []


def test_the_size_is_that_of_the_bytes(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    assert blobs.size(KEY) == 6
    blobs.delete(KEY)
    with pytest.raises(FileNotFoundError):
        blobs.size(KEY)


def test_deleting_the_last_blob_of_a_folder_deletes_the_folder(blobs: BlobStore, source: Path) -> None:
    for run in ("r1", "r2"):
        source.write_bytes(b"result")
        blobs.put(f"outputs/t1/{run}", source)
    blobs.delete("outputs/t1/r1")
    assert blobs.list("outputs") == ["outputs/t1/r2"]
    blobs.delete("outputs/t1/r2")
    assert blobs.list("outputs") == []


def test_keys_are_listed_by_prefix(blobs: BlobStore, source: Path) -> None:
    assert blobs.list("uploads") == []
    for key in ("uploads/u2", "uploads/u1"):
        blobs.begin(key, LAYOUT).close()
    blobs.put("outputs/t1/r1", source)
    assert blobs.list("uploads") == ["uploads/u1", "uploads/u2"]
    assert blobs.list("outputs") == ["outputs/t1/r1"]


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
def test_an_invalid_key_is_refused_by_every_method(blobs: BlobStore, source: Path, key: str) -> None:
    for act in (
        lambda: blobs.begin(key, LAYOUT),
        lambda: blobs.resume(key, LAYOUT, tokens={}),
        lambda: list(blobs.read_part(key, Part(token="0", size=1), block=1)),
        lambda: blobs.has_part(key, Part(token="0", size=1)),
        lambda: blobs.trim(key, 1),
        lambda: list(blobs.open(key, offset=0, block=4)),
        lambda: blobs.local_copy(key),
        lambda: blobs.size(key),
        lambda: blobs.put(key, source),
        lambda: blobs.delete(key),
    ):
        with pytest.raises(InvalidInput):
            act()
    assert source.exists()
