"""The local store: permissions, durability, full disks, large files."""

import errno
import os
import resource
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.blobs import Part, PartLayout, StagedBlob
from facecli.core.errors import DiskFull, FileTooLarge, StorageFailed

KEY = "uploads/u1"
MIB = 1024 * 1024


def layout(size: int | None) -> PartLayout:
    """One part of any size, of a blob of that size."""
    return PartLayout(part_size=size or 8 * MIB, count=1, size=size)


def halves(size: int) -> PartLayout:
    return PartLayout(part_size=-(-size // 2), count=2, size=size)


def write(blob: StagedBlob, data: bytes) -> None:
    writer = blob.part(0, replaces=None)
    writer.write(data)
    writer.finish()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "data")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "facecli-test", str(directory)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk needs root")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture
def file_size_limit() -> Iterator[int]:
    """A limit as `ulimit -f` sets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MIB, hard))
    yield 4 * MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths given to fsync and fdatasync, in order."""
    paths: list[str] = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)

        def record(file: int, name: str = name, real: object = real) -> None:
            paths.append(str(Path(f"/proc/self/fd/{file}").readlink()))
            assert callable(real)
            real(file)

        monkeypatch.setattr(os, name, record)
    return paths


def test_only_the_user_of_the_server_can_read_stored_files(blobs: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "result").write_bytes(b"result")
    (tmp_path / "result").chmod(0o644)
    blobs.begin(KEY, layout(4)).close()
    blobs.put("outputs/t1/r1", tmp_path / "result")
    for path in (blobs.root, *blobs.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_no_stored_file_has_an_extension_or_a_name_of_a_user(blobs: LocalBlobs) -> None:
    blobs.begin(KEY, layout(4)).close()
    assert blobs.path(KEY) == blobs.root / "uploads" / "u1" / "data"


def test_the_first_sync_makes_the_names_of_a_new_blob_durable(blobs: LocalBlobs, synced: list[str]) -> None:
    with blobs.begin(KEY, layout(4)) as blob:
        write(blob, b"abcd")
        blob.sync(())
    root = str(blobs.root)
    assert synced == [root, f"{root}/uploads/u1/data", f"{root}/uploads/u1", f"{root}/uploads"]


def test_a_store_that_is_not_durable_flushes_nothing(tmp_path: Path, synced: list[str]) -> None:
    blobs = LocalBlobs(tmp_path / "data", durable=False)
    with blobs.begin(KEY, layout(4)) as blob:
        write(blob, b"abcd")
        blob.sync(())
    assert str(blobs.path(KEY)) not in synced


def test_a_finished_file_is_durable_before_it_has_its_name(
    blobs: LocalBlobs, synced: list[str], tmp_path: Path
) -> None:
    (tmp_path / "part").write_bytes(b"result")
    blobs.put("outputs/t1/r1", tmp_path / "part")
    assert synced[0] == str(tmp_path / "part")
    assert synced[-1] == str(blobs.root / "outputs/t1/r1")
    assert str(blobs.root / "outputs/t1") in synced


def test_a_sync_makes_the_file_durable(blobs: LocalBlobs, synced: list[str]) -> None:
    with blobs.begin(KEY, layout(4)) as blob:
        blob.sync(())
        synced.clear()
        write(blob, b"abcd")
        assert synced == []
        blob.sync(())
        assert synced == [str(blobs.path(KEY))]


def test_a_part_is_read_back_without_the_page_cache(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = list[tuple[int, int, int]]()
    monkeypatch.setattr(os, "posix_fadvise", lambda file, *advice: dropped.append(advice))
    with blobs.begin(KEY, layout(4)) as blob:
        write(blob, b"abcd")
        blob.sync(())
        assert b"".join(blobs.read_part(KEY, Part(token="0", size=4), block=4)) == b"abcd"
        assert dropped == [(0, 0, os.POSIX_FADV_DONTNEED)]
        assert b"".join(blobs.open(KEY, offset=0, block=4)) == b"abcd"
        assert len(dropped) == 1


def test_a_new_blob_reserves_its_space(blobs: LocalBlobs) -> None:
    blobs.begin(KEY, halves(MIB)).close()
    assert blobs.path(KEY).stat().st_blocks * 512 >= MIB


def test_a_full_disk_refuses_before_any_space_is_taken(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocated: list[int] = []
    monkeypatch.setattr(os, "posix_fallocate", lambda _file, _offset, size: allocated.append(size))
    blobs = LocalBlobs(small_disk / "data")
    with pytest.raises(DiskFull, match=f"no room for {2 * MIB} bytes"):
        blobs.begin(KEY, halves(2 * MIB)).close()
    assert blobs.list("uploads") == []
    blobs.begin(KEY, halves(MIB // 2)).close()
    assert allocated == [MIB // 2]


def test_a_full_disk_refuses_a_blob_of_one_part_while_it_is_written(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data")
    with (
        blobs.begin(KEY, layout(2 * MIB)) as blob,
        pytest.raises(DiskFull, match="acknowledged bytes are safe"),
    ):
        write(blob, b"a" * (2 * MIB))


def test_a_disk_that_fills_up_refuses_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data")
    (small_disk / "ballast").write_bytes(b"x" * (MIB // 2))
    with blobs.begin(KEY, PartLayout(part_size=MIB, count=2, size=None)) as blob:
        write(blob, b"a" * 1000)
        with pytest.raises(DiskFull, match="acknowledged bytes are safe"):
            write_second(blob)
        (small_disk / "ballast").unlink()
        write_second(blob)
        blob.sync(())
    assert b"".join(blobs.read_part(KEY, Part(token="0", size=1000), block=MIB)) == b"a" * 1000


def write_second(blob: StagedBlob) -> None:
    writer = blob.part(1, replaces=None)
    try:
        writer.write(b"b" * (MIB * 3 // 4))
        writer.finish()
    finally:
        writer.abort()


def test_a_file_of_another_disk_cannot_be_moved_in(blobs: LocalBlobs, small_disk: Path) -> None:
    (small_disk / "result").write_bytes(b"result")
    with pytest.raises(StorageFailed, match=os.strerror(errno.EXDEV)):
        blobs.put("outputs/t1/r1", small_disk / "result")


def test_a_file_beyond_the_process_limit_is_too_large(blobs: LocalBlobs, file_size_limit: int) -> None:
    with pytest.raises(FileTooLarge, match="ulimit -f"):
        blobs.begin(KEY, halves(file_size_limit + 1)).close()
    assert blobs.list("uploads") == []
    with blobs.begin(KEY, PartLayout(part_size=2 * MIB, count=3, size=None)) as blob:
        write(blob, b"x" * MIB)
        last = blob.part(2, replaces=None)
        with pytest.raises(FileTooLarge):
            last.write(b"x" * 20)
            last.finish()


def test_a_rearranged_part_of_a_file_that_was_cut_short_fails(blobs: LocalBlobs) -> None:
    with blobs.begin(KEY, layout(100)) as blob:
        os.truncate(blobs.path(KEY), 50)
        with pytest.raises(StorageFailed, match="ends at byte 50"):
            blob.rearrange([Part(token="1", size=100)])


def test_a_link_is_not_followed_into_the_store(blobs: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(StorageFailed):
        blobs.put("outputs/t1/r1", tmp_path / "link")


def test_a_blob_whose_creation_crashed_is_listed_and_can_be_deleted(blobs: LocalBlobs) -> None:
    (blobs.root / "uploads" / "dead").mkdir(parents=True)
    assert blobs.list("uploads") == ["uploads/dead"]
    blobs.delete("uploads/dead")
    assert blobs.list("uploads") == []


def test_no_open_file_is_left(blobs: LocalBlobs) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with blobs.begin(KEY, layout(100)) as blob:
        write(blob, b"x" * 100)
    reading = blobs.open(KEY, offset=0, block=10)
    next(reading)
    del reading
    blob.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_files_of_others_are_no_blobs(blobs: LocalBlobs) -> None:
    (blobs.root / "uploads" / "lost+found").mkdir(parents=True)
    (blobs.root / "uploads" / "data").touch()
    blobs.begin(KEY, layout(1)).close()
    assert blobs.list("uploads") == [KEY]
