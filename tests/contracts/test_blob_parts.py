"""The contract of every BlobStore for blobs that are assembled from parts."""

from collections.abc import Mapping, Sequence

import pytest

from facecli.core.blobs import BlobStore, Capability, Part, PartLayout, StagedBlob
from tests.support.blobs.staged import (
    KEY,
    LAYOUT,
    PARTS,
    complete,
    content,
    holds,
    put,
    put_all,
    tokens,
)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_written_in_any_order_become_the_blob(blobs: BlobStore, order: Sequence[int]) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts: Mapping[int, Part] = {index: put(blob, index, PARTS[index]) for index in order}
        complete(blob, [parts[index] for index in range(3)])
    assert content(blobs) == b"0123456789"
    assert content(blobs, offset=8) == b"89"
    assert content(blobs, offset=10) == content(blobs, offset=11) == b""
    with blobs.local_copy(KEY) as copy:
        assert copy.read_bytes() == b"0123456789"
    assert blobs.size(KEY) == 10


def test_parts_of_one_blob_are_written_at_the_same_time(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        writers = [blob.part(index, replaces=None) for index in range(3)]
        for writer, data in zip(writers, PARTS, strict=True):
            writer.write(data[:1])
        for writer, data in zip(writers, PARTS, strict=True):
            writer.write(data[1:])
        parts = [
            Part(token=writer.finish() or "", size=len(data))
            for writer, data in zip(writers, PARTS, strict=True)
        ]
        blob.sync([part.token for part in parts])
        for writer in writers:
            writer.commit()
        complete(blob, parts)
        assert content(blobs) == b"0123456789"


def test_a_part_is_found_by_its_token(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        assert all(holds(blobs, part, data) for part, data in zip(parts, PARTS, strict=True))
        assert all(blobs.has_part(KEY, part) for part in parts)


def test_a_resumed_blob_keeps_its_parts(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        first = put(blob, 0, PARTS[0])
    with blobs.resume(KEY, LAYOUT, tokens={0: first.token}) as blob:
        rest = [put(blob, index, PARTS[index]) for index in (1, 2)]
        complete(blob, [first, *rest])
        assert content(blobs) == b"0123456789"


@pytest.mark.parametrize("resumed", [False, True])
def test_a_replacement_keeps_the_bytes_before_until_it_is_committed(
    replacing: BlobStore, resumed: bool
) -> None:
    blobs = replacing
    blob = blobs.begin(KEY, LAYOUT)
    parts, content_before = put_all(blob), PARTS[0]
    for data in (b"abcd", b"ABCD", b"efgh"):
        if resumed:
            blob.close()
            blob = blobs.resume(KEY, LAYOUT, tokens=tokens(parts))
        before = parts[0]
        writer = blob.part(0, replaces=before.token)
        writer.write(data)
        parts[0] = Part(token=writer.finish() or "", size=4)
        blob.sync([parts[0].token])
        assert parts[0] != before
        assert holds(blobs, before, content_before)
        assert holds(blobs, parts[0], data)
        writer.commit()
        content_before = data
    with blob:
        complete(blob, parts)
        assert content(blobs) == b"efgh456789"


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
        assert holds(blobs, parts[1], PARTS[1])
        complete(blob, parts)
        assert content(blobs) == b"0123456789"


def test_parts_are_out_of_order_while_one_is_replaced_and_after_it(replacing: BlobStore) -> None:
    blobs = replacing
    in_place = Capability.COMPLETES_IN_PLACE in blobs.capabilities
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        unsettled = blob.part(0, replaces=parts[0].token)
        assert not blob.in_order(parts), "a replacement is being written"
        unsettled.abort()
        assert blob.in_order(parts) is in_place
        replaced = [put(blob, 0, b"abcd", replaces=parts[0].token), *parts[1:]]
        if not blob.in_order(replaced):
            assert set(blob.rearrange(replaced)) == {0}


def test_rearranged_parts_keep_their_bytes_until_their_tokens_are_committed(replacing: BlobStore) -> None:
    blobs = replacing
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        for index, data in ((2, b"ef"), (0, b"abcd")):
            parts[index] = put(blob, index, data, replaces=parts[index].token)
        blob.rearrange(parts)
    with blobs.resume(KEY, LAYOUT, tokens=tokens(parts)) as blob:
        wanted = (b"abcd", PARTS[1], b"ef")
        assert all(holds(blobs, part, data) for part, data in zip(parts, wanted, strict=True))
        complete(blob, parts)
        assert content(blobs) == b"abcd4567ef"


def test_completion_revokes_a_part_that_is_being_written(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        late, later = (blob.part(index, replaces=parts[index].token) for index in (0, 1))
        late.write(b"xx")
        later.write(b"yyyy")
        assert later.finish()
        complete_anyway(blob, parts)
        late.write(b"xx")
        assert late.finish() is None
        assert later.token is None
        late.abort()
        later.abort()
        assert content(blobs) == b"0123456789"


def complete_anyway(blob: StagedBlob, parts: Sequence[Part]) -> None:
    assert not blob.rearrange(parts)
    blob.complete(parts)


def test_a_discarded_blob_takes_no_space_though_writers_have_it_open(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        put(blob, 0, PARTS[0])
        late = blob.part(1, replaces=None)
        late.write(PARTS[1])
        blob.discard()
        late.write(PARTS[1])
        assert late.finish() is None
        if Capability.FREES_PARTS in blobs.capabilities:
            assert blobs.size(KEY) == 0
        else:
            assert not blobs.exists(KEY)


def test_a_blob_of_unknown_size_ends_with_its_last_part(blobs: BlobStore) -> None:
    with blobs.begin(KEY, PartLayout(part_size=4, count=3, size=None)) as blob:
        parts = [put(blob, index, data) for index, data in enumerate((*PARTS[:2], b"8"))]
        complete(blob, parts)
        assert content(blobs) == b"012345678"


def test_a_completion_that_was_not_committed_is_repeated(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        parts = put_all(blob)
        complete(blob, parts)
    with blobs.resume(KEY, LAYOUT, tokens=tokens(parts)) as blob:
        assert not blob.doubtful
        assert all(blobs.has_part(KEY, part) for part in parts)
        complete(blob, parts)
    assert content(blobs) == b"0123456789"


def test_a_reopened_blob_takes_parts_again(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        complete(blob, put_all(blob))
    reopened = blobs.reopen(KEY, LAYOUT)
    parts = [Part(token=token, size=len(data)) for token, data in zip(reopened, PARTS, strict=True)]
    assert all(holds(blobs, part, data) for part, data in zip(parts, PARTS, strict=True))
    with blobs.resume(KEY, LAYOUT, tokens=tokens(parts)) as blob:
        parts[1] = put(blob, 1, b"abcd", replaces=parts[1].token)
        complete(blob, parts)
        assert content(blobs) == b"0123abcd89"


def test_a_truncated_part_ends_early(blobs: BlobStore) -> None:
    with blobs.begin(KEY, LAYOUT) as blob:
        part = put(blob, 2, PARTS[2])
    longer = Part(token=part.token, size=5)
    assert holds(blobs, part, PARTS[2])
    assert not blobs.has_part(KEY, longer)
    blobs.delete(KEY)
    assert not blobs.has_part(KEY, part)
