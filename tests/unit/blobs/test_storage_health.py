"""The data directory vanishes or changes under a running server: health says so, nothing is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.blobs.identity import record_identity
from facecli.blobs.local.store import LocalBlobs
from facecli.blobs.probe import MIN_FREE_BYTES, DirectoryProbe
from facecli.bootstrap.storage_health import StorageHealth
from facecli.core.errors import StorageFailed
from tests.support.e2e.disks import Ballast, read_only, tmpfs
from tests.support.e2e.requirements import needs
from tests.support.storage import CHUNK, Content, Storage, send

FILE = Content(size=2 * CHUNK)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    record_identity(tmp_path / "data", "abc")
    return tmp_path / "data"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A data directory that is a file system of 32 MiB."""
    with tmpfs(tmp_path / "disk", size="32m") as disk:
        record_identity(disk, "abc")
        yield disk


@needs("tmpfs")
@pytest.mark.parametrize("free", [0, MIN_FREE_BYTES - 2**20])
def test_a_full_disk_stops_only_uploads(disk: Path, free: int) -> None:
    reports = list[tuple[bool, bool]]()
    health = StorageHealth([DirectoryProbe(disk).check], lambda *report: reports.append(report))
    health.check()
    ballast = Ballast(disk)
    ballast.fill(leave=free)
    health.check()
    ballast.free()
    health.check()
    assert reports == [(True, True), (True, False), (True, True)]


@needs("tmpfs")
def test_a_read_only_disk_stops_serving(disk: Path) -> None:
    reports = list[tuple[bool, bool]]()
    health = StorageHealth([DirectoryProbe(disk).check], lambda *report: reports.append(report))
    with read_only(disk):
        health.check()
    health.check()
    assert reports == [(False, False), (True, True)]


@pytest.mark.parametrize("replacement", ["nothing", "copy", "link", "no id"])
def test_a_directory_that_is_replaced_stops_serving_until_it_is_back(
    directory: Path, replacement: str, caplog: pytest.LogCaptureFixture
) -> None:
    reports = list[tuple[bool, bool]]()
    health = StorageHealth([DirectoryProbe(directory).check], lambda *report: reports.append(report))
    health.check()
    aside = directory.with_name("aside")
    if replacement == "no id":
        (directory / "directory.id").rename(aside)
    else:
        directory.rename(aside)
    if replacement == "copy":
        shutil.copytree(aside, directory)
    elif replacement == "link":
        shutil.copytree(aside, directory.with_name("other"))
        directory.symlink_to(directory.with_name("other"))
    health.check()
    health.check()
    if replacement == "no id":
        aside.rename(directory / "directory.id")
    else:
        if directory.is_symlink():
            directory.unlink()
        shutil.rmtree(directory, ignore_errors=True)
        aside.rename(directory)
    health.check()
    assert reports == [(True, True), (False, False), (False, False), (True, True)]
    assert [record.message for record in caplog.records] == [
        "storage is not usable",
        "storage is usable again",
    ]


@pytest.mark.parametrize("replaced", ["data", "data/uploads"])
def test_nothing_is_acknowledged_in_another_place(storage: Storage, tmp_path: Path, replaced: str) -> None:
    upload_service = storage.upload_service()
    kept, _ = upload_service.begin(FILE.new)
    upload_service.put_chunk(kept.id, FILE.frame(0), owner="ann")
    place, other = tmp_path / replaced, tmp_path / "other"
    place.rename(tmp_path / "aside")
    other.mkdir()
    place.symlink_to(other)
    upload, _ = upload_service.begin(FILE.new, fresh=True)
    with pytest.raises(StorageFailed, match="was replaced while the server was running"):
        upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
    assert upload_service.chunks(upload.id) == []
    place.unlink()
    (tmp_path / "aside").rename(place)
    assert upload_service.put_chunk(kept.id, FILE.frame(1), owner="ann").completed
    assert storage.content(upload_service.get(kept.id, owner="ann")) == FILE.data


def test_a_store_behind_a_link_is_used_through_it(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "result").write_bytes(b"result")
    LocalBlobs(tmp_path / "link").put("outputs/t1/r1", tmp_path / "result")
    assert (tmp_path / "disk" / "outputs" / "t1" / "r1" / "data").read_bytes() == b"result"


def test_an_open_writer_is_not_acknowledged_after_a_replacement(storage: Storage, tmp_path: Path) -> None:
    upload_service = storage.upload_service()
    upload, _ = upload_service.begin(FILE.new)
    with upload_service.writer(upload.id, owner="ann") as writer:
        send(upload_service, writer, FILE, [0])
        (tmp_path / "data").rename(tmp_path / "aside")
        (tmp_path / "data").mkdir()
        with pytest.raises(StorageFailed, match="was replaced"):
            send(upload_service, writer, FILE, [1])
    assert [chunk.index for chunk in upload_service.chunks(upload.id)] == [0]
