"""The contract of every BlobStore for blobs that are assembled from parts."""

from collections.abc import Mapping, Sequence

import pytest

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout
from tests.support.staged_blobs import (
    KEY,
    LAYOUT,
    PARTS,
    SPARE_KEY,
    complete,
    content,
    part_content,
    put,
    put_all,
)


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
def test_a_replacement_keeps_the_bytes_of_the_part_before(blobs: BlobStore, resumed: bool) -> None:
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
        assert not blob.in_order(parts), "a replacement is being written"
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


def test_a_truncated_part_ends_early(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        part = put(blob, 2, PARTS[2])
    longer = Part(token=part.token, size=5)
    assert part_content(blobs, longer) == PARTS[2]
    assert not blobs.has_part(KEY, longer)
    assert not blobs.has_part("uploads/u2", part)
