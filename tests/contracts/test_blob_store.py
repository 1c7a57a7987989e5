"""The contract of every BlobStore; its capabilities choose the variants."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout, StagedBlob
from facecli.core.errors import DiskFull, InvalidInput, StorageFailed

KEY, SPARE_KEY = "uploads/u1", "uploads/u1.whole"
LAYOUT = PartLayout(part_size=4, count=3, size=10)
PARTS = (b"0123", b"4567", b"89")


def content(blobs: BlobStore, key: str = KEY, *, offset: int = 0) -> bytes:
    return b"".join(blobs.open(key, offset=offset, block=4))


def put(blob: StagedBlob, index: int, data: bytes, *, replaces: str | None = None) -> Part:
    """Write, sync and commit a part."""
    writer = blob.part(index, replaces=replaces)
    writer.write(data[:3])
    writer.write(data[3:])
    token = writer.finish()
    blob.sync()
    writer.commit()
    assert writer.token == token
    return Part(token=token, size=len(data))


def put_all(blob: StagedBlob) -> list[Part]:
    return [put(blob, index, data) for index, data in enumerate(PARTS)]


def part_content(blobs: BlobStore, part: Part, key: str = KEY) -> bytes:
    return b"".join(blobs.read_part(key, part, block=3))


def complete(blobs: BlobStore, blob: StagedBlob, parts: Sequence[Part]) -> str:
    key = blob.complete(parts, spare_key=SPARE_KEY)
    if key != KEY:
        blobs.delete(KEY)
    return key


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "result.part"
    path.write_bytes(b"result")
    return path


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_written_in_any_order_become_the_blob(blobs: BlobStore, order: Sequence[int]) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts: Mapping[int, Part] = {index: put(blob, index, PARTS[index]) for index in order}
        key = complete(blobs, blob, [parts[index] for index in range(3)])
    assert content(blobs, key) == b"0123456789"
    assert content(blobs, key, offset=8) == b"89"
    assert content(blobs, key, offset=10) == content(blobs, key, offset=11) == b""
    assert blobs.local_copy(key).read_bytes() == b"0123456789"
    assert blobs.size(key) == 10


def test_parts_of_one_blob_are_written_at_the_same_time(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        writers = [blob.part(index, replaces=None) for index in range(3)]
        for writer, data in zip(writers, PARTS, strict=True):
            writer.write(data[:1])
        for writer, data in zip(writers, PARTS, strict=True):
            writer.write(data[1:])
        parts = [
            Part(token=writer.finish(), size=len(data)) for writer, data in zip(writers, PARTS, strict=True)
        ]
        blob.sync()
        for writer in writers:
            writer.commit()
        assert content(blobs, complete(blobs, blob, parts)) == b"0123456789"


def test_a_part_is_read_back_by_its_token(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        assert [part_content(blobs, part) for part in parts] == list(PARTS)
        assert all(blobs.has_part(KEY, part) for part in parts)


def test_a_resumed_blob_keeps_its_parts(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        first = put(blob, 0, PARTS[0])
    with blobs.resume(KEY, LAYOUT) as blob:
        rest = [put(blob, index, PARTS[index]) for index in (1, 2)]
        assert content(blobs, complete(blobs, blob, [first, *rest])) == b"0123456789"


@pytest.mark.parametrize("resumed", [False, True])
def test_a_part_that_replaces_another_leaves_its_bytes_alone(blobs: BlobStore, resumed: bool) -> None:
    blob = blobs.begin(KEY, LAYOUT)
    parts = put_all(blob)
    if resumed:
        blob.close()
        blob = blobs.resume(KEY, LAYOUT)
    with blob:
        newer = put(blob, 0, b"abcd", replaces=parts[0].token)
        newest = put(blob, 0, b"ABCD", replaces=newer.token)
        assert len({parts[0].token, newer.token, newest.token}) == 3
        assert part_content(blobs, parts[0]) == PARTS[0]
        assert part_content(blobs, newer) == b"abcd"
        assert content(blobs, complete(blobs, blob, [newest, *parts[1:]])) == b"ABCD456789"


@pytest.mark.parametrize("finished", [False, True])
def test_an_aborted_part_changes_nothing(blobs: BlobStore, finished: bool) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        for _ in range(2):
            writer = blob.part(1, replaces=parts[1].token)
            writer.write(b"xxxx")
            if finished:
                writer.finish()
            writer.abort()
        assert part_content(blobs, parts[1]) == PARTS[1]
        assert content(blobs, complete(blobs, blob, parts)) == b"0123456789"


def test_parts_in_order_complete_in_place(blobs: BlobStore) -> None:
    if Capability.COMPLETES_IN_PLACE not in blobs.capabilities:
        pytest.skip("this store copies")
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        unsettled = blob.part(0, replaces=parts[0].token)
        assert not blob.in_order(parts), "a part is being written behind them"
        unsettled.abort()
        assert blob.in_order(parts)
        for _ in range(2):
            assert blob.complete(parts, spare_key=SPARE_KEY) == KEY
        replaced = put(blob, 0, b"abcd", replaces=parts[0].token)
        assert not blob.in_order([replaced, *parts[1:]])


def test_a_copy_leaves_the_staged_blob_until_it_is_deleted(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        replaced = [put(blob, 0, b"abcd", replaces=parts[0].token), *parts[1:]]
        for _ in range(2):
            key = blob.complete(replaced, spare_key=SPARE_KEY)
            assert content(blobs, key) == b"abcd456789"
        if key == SPARE_KEY:
            assert part_content(blobs, parts[0]) == PARTS[0]


def test_a_blob_of_unknown_size_ends_with_its_last_part(blobs: BlobStore) -> None:
    with blobs.begin(KEY, PartLayout(part_size=4, count=3, size=None)) as blob:
        parts = [put(blob, index, data) for index, data in enumerate((*PARTS[:2], b"8"))]
        assert content(blobs, complete(blobs, blob, parts)) == b"012345678"


def test_a_reopened_blob_takes_parts_again(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        key = complete(blobs, blob, put_all(blob))
    tokens = blobs.reopen(key, LAYOUT)
    parts = [Part(token=token, size=len(data)) for token, data in zip(tokens, PARTS, strict=True)]
    assert [part_content(blobs, part, key) for part in parts] == list(PARTS)
    with blobs.resume(key, LAYOUT) as blob:
        parts[1] = put(blob, 1, b"abcd", replaces=parts[1].token)
        assert content(blobs, blob.complete(parts, spare_key=SPARE_KEY)) == b"0123abcd89"


def test_a_blob_that_is_too_long_is_trimmed(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    blobs.trim(KEY, 3)
    assert content(blobs) == b"res"


def test_a_part_that_is_not_all_there_ends_early(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        part = put(blob, 2, PARTS[2])
    longer = Part(token=part.token, size=5)
    assert part_content(blobs, longer) == PARTS[2]
    assert not blobs.has_part(KEY, longer)
    assert not blobs.has_part("uploads/u2", part)


def test_blocks_are_no_longer_than_asked_for(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    assert list(blobs.open(KEY, offset=1, block=2)) == [b"es", b"ul", b"t"]


def test_no_second_blob_takes_the_place_of_the_first(blobs: BlobStore, source: Path) -> None:
    blobs.put(KEY, source)
    with pytest.raises(StorageFailed):
        blobs.begin(KEY, LAYOUT)
    assert content(blobs) == b"result"


def test_a_missing_blob_raises(blobs: BlobStore) -> None:
    with pytest.raises(FileNotFoundError):
        next(blobs.open(KEY, offset=0, block=4))
    with pytest.raises(FileNotFoundError):
        blobs.local_copy(KEY)
    with pytest.raises(FileNotFoundError):
        next(blobs.read_part(KEY, Part(token="0", size=1), block=1))
    with pytest.raises(StorageFailed):
        blobs.resume(KEY, LAYOUT)
    assert not blobs.exists(KEY)


def test_more_than_the_disk_has_is_refused_and_leaves_nothing(blobs: BlobStore) -> None:
    if Capability.RESERVES_SPACE not in blobs.capabilities:
        pytest.skip("this store reserves no space")
    free = blobs.free_bytes()
    with pytest.raises(DiskFull, match=r"no room for \d+ bytes, \d+ are free") as caught:
        blobs.begin(KEY, PartLayout(part_size=free, count=2, size=free * 2))
    assert caught.value.retry_after > 0
    assert blobs.list("uploads") == []
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
    assert blobs.list("outputs") == []


def test_deleting_is_harmless_twice_and_spares_the_rest(blobs: BlobStore, source: Path) -> None:
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
            blob.sync()
        writer.abort()
    assert blobs.list("uploads") == []


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
def test_an_odd_key_is_refused_by_everything(blobs: BlobStore, source: Path, key: str) -> None:
    for act in (
        lambda: blobs.begin(key, LAYOUT),
        lambda: blobs.resume(key, LAYOUT),
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
