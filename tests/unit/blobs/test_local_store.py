"""The local directory: who may read it, what is durable when, what a small disk does."""

import errno
import os
import resource
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.errors import DiskFull, FileTooLarge, StorageFailed

KEY = "uploads/u1"
MIB = 1024 * 1024


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
    """What `ulimit -f` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MIB, hard))
    yield 4 * MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the operating system was asked to make durable, in order."""
    paths: list[str] = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)

        def record(file: int, name: str = name, real: object = real) -> None:
            paths.append(str(Path(f"/proc/self/fd/{file}").readlink()))
            assert callable(real)
            real(file)

        monkeypatch.setattr(os, name, record)
    return paths


def test_only_the_servers_user_can_read_what_is_stored(blobs: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "result").write_bytes(b"result")
    (tmp_path / "result").chmod(0o644)
    blobs.create(KEY, size=4)
    blobs.put("outputs/t1/r1", tmp_path / "result")
    for path in (blobs.root, *blobs.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_no_stored_file_has_an_extension_or_a_name_of_a_user(blobs: LocalBlobs) -> None:
    blobs.create(KEY, size=4)
    assert blobs.path(KEY) == blobs.root / "uploads" / "u1" / "data"


def test_a_new_blob_is_durable_with_its_whole_way_after_its_first_flush(
    blobs: LocalBlobs, synced: list[str]
) -> None:
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"abcd")
        writer.flush()
    root = str(blobs.root)
    assert synced == [root, f"{root}/uploads/u1/data", f"{root}/uploads/u1", f"{root}/uploads"]


def test_what_need_not_survive_a_power_cut_is_not_flushed(tmp_path: Path, synced: list[str]) -> None:
    blobs = LocalBlobs(tmp_path / "data", durable=False)
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"abcd")
        writer.flush()
    assert str(blobs.path(KEY)) not in synced


def test_a_finished_file_is_durable_before_it_has_its_name(
    blobs: LocalBlobs, synced: list[str], tmp_path: Path
) -> None:
    (tmp_path / "part").write_bytes(b"result")
    blobs.put("outputs/t1/r1", tmp_path / "part")
    assert synced[0] == str(tmp_path / "part")
    assert synced[-1] == str(blobs.root / "outputs/t1/r1")
    assert str(blobs.root / "outputs/t1") in synced


def test_a_flush_makes_the_file_durable(blobs: LocalBlobs, synced: list[str]) -> None:
    blobs.create(KEY, size=4)
    with blobs.writer(KEY) as writer:
        writer.flush()
        synced.clear()
        writer.write(0, b"abcd")
        assert synced == []
        writer.flush()
        assert synced == [str(blobs.path(KEY))]


def test_a_new_blob_has_its_room_reserved(blobs: LocalBlobs) -> None:
    blobs.create(KEY, size=MIB)
    assert blobs.path(KEY).stat().st_blocks * 512 >= MIB


def test_no_room_is_said_before_the_first_byte(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data")
    with pytest.raises(DiskFull, match=f"no room for {2 * MIB} bytes"):
        blobs.create(KEY, size=2 * MIB)
    assert blobs.keys("uploads") == []
    blobs.create(KEY, size=MIB // 2)


def test_a_disk_that_fills_up_refuses_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    blobs = LocalBlobs(small_disk / "data")
    (small_disk / "ballast").write_bytes(b"x" * (MIB // 2))
    blobs.create(KEY, size=None)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"a" * 1000)
        with pytest.raises(DiskFull, match="what was acknowledged is kept"):
            writer.write(1000, b"b" * (MIB * 3 // 4))
        (small_disk / "ballast").unlink()
        writer.write(1000, b"b" * (MIB * 3 // 4))
        writer.flush()
        assert writer.read(0, 1001) == b"a" * 1000 + b"b"


def test_a_file_of_another_disk_cannot_be_moved_in(blobs: LocalBlobs, small_disk: Path) -> None:
    (small_disk / "result").write_bytes(b"result")
    with pytest.raises(StorageFailed, match=os.strerror(errno.EXDEV)):
        blobs.put("outputs/t1/r1", small_disk / "result")


def test_a_file_beyond_the_process_limit_is_too_large(blobs: LocalBlobs, file_size_limit: int) -> None:
    with pytest.raises(FileTooLarge, match="ulimit -f"):
        blobs.create(KEY, size=file_size_limit + 1)
    assert blobs.keys("uploads") == []
    blobs.create(KEY, size=None)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"x" * MIB)
        with pytest.raises(FileTooLarge):
            writer.write(file_size_limit - 10, b"x" * 20)


def test_a_file_that_was_cut_behind_our_back_is_noticed(blobs: LocalBlobs) -> None:
    blobs.create(KEY, size=100)
    with blobs.writer(KEY) as writer:
        os.truncate(blobs.path(KEY), 50)
        with pytest.raises(StorageFailed, match="ends at byte 50"):
            writer.read(0, 100)


def test_a_link_is_not_followed_into_the_store(blobs: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(StorageFailed):
        blobs.put("outputs/t1/r1", tmp_path / "link")


def test_what_a_death_left_half_made_is_listed_and_can_be_deleted(blobs: LocalBlobs) -> None:
    (blobs.root / "uploads" / "dead").mkdir(parents=True)
    assert blobs.keys("uploads") == ["uploads/dead"]
    blobs.delete("uploads/dead")
    assert blobs.keys("uploads") == []


def test_no_open_file_is_left(blobs: LocalBlobs) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    blobs.create(KEY, size=100)
    with blobs.writer(KEY) as writer:
        writer.write(0, b"x" * 100)
    reading = blobs.read(KEY, offset=0, block=10)
    next(reading)
    del reading
    writer.__exit__(None, None, None)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_cannot_be_a_blob_is_none(blobs: LocalBlobs) -> None:
    (blobs.root / "uploads" / "lost+found").mkdir(parents=True)
    (blobs.root / "uploads" / "data").touch()
    blobs.create(KEY, size=1)
    assert blobs.keys("uploads") == [KEY]
