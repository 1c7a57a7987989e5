"""Verification finds damage of uploads, and a repair costs only the lost chunks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.damage import BlobVerifier, Damage
from facecli.core.errors import StorageFailed, UploadUnfinished
from facecli.metadata.uploads import SqlUploadRepository
from facecli.uploads.upload import Chunk, Upload
from facecli.uploads.verification import UploadVerifier
from tests.support.storage import CHUNK, EXPIRY, Content, Storage, send, send_all

FILE = Content(size=3 * CHUNK + 7)


class Checked:
    """A storage and the verifier of its uploads."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.repository = storage.repository()
        self.on_bytes = 0

    def damage(self, upload_id: str, *, quick: bool = False) -> Damage | None:
        return UploadVerifier(
            repository=self.repository,
            verifier=BlobVerifier(self.storage.blobs, on_bytes=self._pass),
            clock=self.storage.clock,
            expiry=EXPIRY,
            quick=quick,
        ).damage(self.repository.get(upload_id))

    def repaired(self, upload_id: str) -> Upload:
        """Repair an upload, and verify it again."""
        damage = self.damage(upload_id)
        assert damage and damage.repair
        damage.repair()
        assert self.damage(upload_id) is None
        return self.repository.get(upload_id)

    def stored(self, upload_id: str) -> list[int]:
        return [chunk.index for chunk in self.repository.chunks(upload_id)]

    def path(self, upload: Upload) -> Path:
        return self.storage.blobs.path(upload.blob_key)

    def _pass(self, size: int) -> None:
        self.on_bytes += size


@pytest.fixture
def checked(storage: Storage) -> Checked:
    return Checked(storage)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def flip_two(path: Path) -> None:
    flip(path, 1)
    flip(path, 3 * CHUNK)


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"tail")


HARM: dict[str, tuple[Callable[[Path], object], list[int], str]] = {
    "a flipped byte": (lambda path: flip(path, CHUNK + 1), [0, 2, 3], "chunk 1 lost"),
    "two of them": (flip_two, [1, 2], "chunks 0, 3 lost"),
    "shorter": (
        lambda path: cut(path, CHUNK + 5),
        [0],
        "chunks 1-3 lost, its file has 1005 bytes instead of 3007",
    ),
    "longer": (longer, [0, 1, 2, 3], "its file has 3011 bytes instead of 3007"),
    "missing": (Path.unlink, [], "its file is missing"),
}


@pytest.mark.parametrize(("harm", "left", "says"), HARM.values(), ids=HARM)
def test_damage_of_a_complete_file_is_described_and_only_lost_chunks_are_sent(
    checked: Checked, harm: Callable[[Path], object], left: list[int], says: str
) -> None:
    upload = send_all(checked.storage.upload_service(), FILE)
    assert checked.damage(upload.id) is None
    assert checked.on_bytes == FILE.size
    harm(checked.path(upload))
    damage = checked.damage(upload.id)
    assert damage and damage.problem == f"clip.mp4: {says}"
    repaired = checked.repaired(upload.id)
    assert (checked.stored(upload.id), repaired.completed) == (left, len(left) == 4)
    lost = [index for index in range(4) if index not in left]
    upload_service = checked.storage.upload_service()
    again, chunks = upload_service.begin(FILE.new)
    assert (again.id, [chunk.index for chunk in chunks]) == (upload.id, left)
    if lost:
        with upload_service.writer(again.id, owner="ann") as writer:
            again = send(upload_service, writer, FILE, lost)
    assert again.completed
    assert checked.storage.content(again) == FILE.data
    assert checked.damage(upload.id) is None


def replaced(checked: Checked) -> Upload:
    """An incomplete upload whose first chunk was replaced."""
    upload_service, other = checked.storage.upload_service(), Content(size=FILE.size, seed=1)
    upload, _ = upload_service.begin(FILE.new)
    upload_service.put_chunk(upload.id, other.frame(0), owner="ann")
    for index in (0, 1):
        upload_service.put_chunk(upload.id, FILE.frame(index), owner="ann")
    return upload_service.get(upload.id, owner="ann")


def test_a_chunk_of_an_incomplete_upload_is_verified_by_its_token(checked: Checked) -> None:
    upload = replaced(checked)
    assert checked.damage(upload.id) is None
    flip(checked.path(upload), 5)
    assert checked.damage(upload.id) is None, "these bytes belong to no chunk"
    flip(checked.path(upload), int(checked.repository.chunks(upload.id)[0].token) + 5)
    repaired = checked.repaired(upload.id)
    assert (checked.stored(upload.id), repaired.stored_bytes, repaired.expires_at) == (
        [1],
        CHUNK,
        upload.expires_at,
    )


def test_a_file_completed_out_of_order_is_repaired_repeatedly(checked: Checked) -> None:
    upload = replaced(checked)
    for index in (2, 3):
        upload = checked.storage.upload_service().put_chunk(upload.id, FILE.frame(index), owner="ann")
    for _ in range(3):
        assert upload.completed
        assert checked.storage.content(upload) == FILE.data
        flip(checked.path(upload), 5)
        assert checked.repaired(upload.id).stored_chunks == 3
        upload_service, other = checked.storage.upload_service(), Content(size=FILE.size, seed=1)
        upload_service.put_chunk(upload.id, FILE.frame(1), owner="ann")
        checked.repository.forget_chunks(upload.id, [2])
        upload_service.put_chunk(upload.id, other.frame(2), owner="ann")
        upload_service.put_chunk(upload.id, FILE.frame(2), owner="ann")
        upload = upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
        assert checked.storage.blobs.list("uploads") == [upload.blob_key]


def test_an_incomplete_upload_without_its_file_begins_anew(checked: Checked) -> None:
    upload = replaced(checked)
    checked.storage.blobs.delete(upload.blob_key)
    assert checked.repaired(upload.id).stored_chunks == 0
    assert send_all(checked.storage.upload_service(), FILE).id == upload.id


def test_a_begun_upload_and_one_that_waits_for_its_completion_are_whole(checked: Checked) -> None:
    upload, _ = checked.storage.upload_service().begin(FILE.new)
    assert checked.damage(upload.id) is None
    waits = send_all(checked.storage.upload_service(), FILE)
    checked.repository.reopen(waits.id, checked.repository.chunks(waits.id), now=1, expires_at=2)
    assert checked.damage(waits.id) is None
    assert checked.storage.upload_service().begin(FILE.new)[0].completed


def test_wrong_counts_are_repaired(checked: Checked) -> None:
    upload = replaced(checked)
    checked.repository.delete(upload.id)
    checked.repository.insert([replace(upload, stored_bytes=3, stored_chunks=1)])
    assert checked.repaired(upload.id).stored_bytes == 0


def test_a_wrong_checksum_of_the_whole_is_repaired(checked: Checked) -> None:
    upload = send_all(checked.storage.upload_service(), FILE)
    checked.repository.reopen(upload.id, checked.repository.chunks(upload.id), now=1, expires_at=2)
    checked.repository.complete(upload.id, crc32c=1, size=upload.size or 0, now=3)
    assert checked.repaired(upload.id).stored_chunks == 4
    with pytest.raises(UploadUnfinished):
        checked.storage.upload_service().file(upload.file_url, owner="ann")
    again, _ = checked.storage.upload_service().begin(FILE.new)
    assert (again.id, again.crc32c) == (upload.id, upload.crc32c)


def test_a_quick_check_compares_lengths_and_reads_nothing(checked: Checked) -> None:
    upload = send_all(checked.storage.upload_service(), FILE)
    path = checked.path(upload)
    flip(path, 5)
    assert checked.damage(upload.id, quick=True) is None
    cut(path, 5)
    assert checked.damage(upload.id, quick=True)


class BadSector(LocalBlobs):
    """A disk that fails to read the second chunk."""

    def open(self, key: str, *, offset: int, block: int) -> Iterator[bytes]:
        if offset == CHUNK:
            raise StorageFailed("Input/output error")
        return super().open(key, offset=offset, block=block)


def test_an_unreadable_chunk_is_lost(checked: Checked) -> None:
    upload = send_all(checked.storage.upload_service(), FILE)
    checked.storage.blobs = BadSector(checked.storage.blobs.root)
    assert checked.damage(upload.id)
    assert checked.on_bytes == FILE.size
    assert checked.repaired(upload.id).stored_chunks == 3
    assert checked.stored(upload.id) == [0, 2, 3]


class CrashingRepository(SqlUploadRepository):
    """A repository whose process dies before it reopens an upload."""

    def reopen(self, upload_id: str, intact: Sequence[Chunk], *, now: float, expires_at: float) -> Upload:
        raise KeyboardInterrupt


def test_a_repair_that_crashes_is_finished_by_the_next(checked: Checked) -> None:
    """It crashes after the blob was trimmed and before the row is changed."""
    upload = send_all(checked.storage.upload_service(), FILE)
    longer(checked.path(upload))
    flip(checked.path(upload), 5)
    checked.repository = checked.storage.opened(CrashingRepository)
    with pytest.raises(KeyboardInterrupt):
        checked.repaired(upload.id)
    assert checked.path(upload).stat().st_size == FILE.size
    checked.repository = checked.storage.repository()
    assert checked.repaired(upload.id).stored_chunks == 3
