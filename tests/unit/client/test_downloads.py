"""Downloads: all or nothing, resumed, and verified."""

import fcntl
from pathlib import Path
from typing import Any

import pytest

from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.destination import destination
from facecli.client.downloads import DownloadClient
from facecli.client.uploads import UploadClient
from facecli.core import writeback
from facecli.core.errors import AlreadyExists, BytesDiffer, DirectoryInUse, InvalidInput, UploadNotFound
from facecli.core.progress import NullProgress
from tests.unit.client.conftest import send

pytestmark = pytest.mark.slow


DATA = bytes(range(256)) * 9000  # 2.3 MB: several messages
CHUNKS = 1_000_000  # bytes of each chunk


@pytest.fixture
def url(uploads: UploadClient, tmp_path: Path) -> str:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    return send(uploads, path, resume=False, chunk_size=CHUNKS).file_url


class Recorder(NullProgress):
    stored_at_begin = -1

    def begin(self, name: str, total: int | None, stored: int) -> None:
        self.stored_at_begin = stored


def download(files: DownloadClient, url: str, target: Path) -> int:
    return files.download(url, target, retry_for=1, progress=NullProgress())


def test_a_download_replaces_its_target(files: DownloadClient, url: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    assert download(files, url, target) == len(DATA)
    assert target.read_bytes() == DATA
    assert not (tmp_path / "out.part").exists()


@pytest.mark.parametrize("part", [DATA[:1_000_000], b"of another file", DATA, DATA + b"more"])
def test_the_result_is_right_for_every_leftover_part_file(
    files: DownloadClient, url: str, tmp_path: Path, part: bytes
) -> None:
    (tmp_path / "out.part").write_bytes(part)
    download(files, url, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == DATA


def test_a_resumed_download_fetches_only_the_missing_bytes(
    files: DownloadClient, url: str, tmp_path: Path
) -> None:
    (tmp_path / "out.part").write_bytes(DATA[:1_000_000])
    recorder = Recorder()
    files.download(url, tmp_path / "out", retry_for=1, progress=recorder)
    assert recorder.stored_at_begin == 1_000_000


def test_writeback_of_a_download_starts_while_it_arrives(
    files: DownloadClient, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[int, int]] = []
    monkeypatch.setattr(writeback, "_sync_file_range", lambda: lambda _, *range_: started.append(range_[:2]))
    download(files, url, tmp_path / "out")
    assert len(started) == 1
    assert writeback.EARLY <= started[0][1] <= len(DATA)


def test_damaged_bytes_on_the_server_are_detected(
    files: DownloadClient, url: str, data: Path, tmp_path: Path
) -> None:
    [stored] = [path for path in (data / "uploads" / url.split("/")[2]).rglob("*") if path.is_file()]
    stored.write_bytes(b"X" + DATA[1:])
    with pytest.raises(BytesDiffer, match="other bytes"):
        download(files, url, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_part_file_is_locked(files: DownloadClient, url: str, tmp_path: Path) -> None:
    with (tmp_path / "out.part").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DirectoryInUse, match=r"out\.part"):
            download(files, url, tmp_path / "out")


@pytest.mark.parametrize("outcome", ["same", "other", "replaced", "none"])
def test_a_file_that_another_command_is_writing_is_awaited(
    connection: Connection, url: str, tmp_path: Path, outcome: str
) -> None:
    target = tmp_path / "out"
    chosen = destination(str(target), name="", overwrite=outcome == "replaced")
    with (tmp_path / "out.part").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def other_command_ends(seconds: float) -> None:
            if outcome == "same":
                target.write_bytes(DATA)
            elif outcome != "none":
                target.write_bytes(b"of another task")
            held.close()

        files = DownloadClient(ClientContext(connection=connection, user="ann", sleep=other_command_ends))
        progress = Recorder()
        if outcome == "other":
            with pytest.raises(AlreadyExists, match="another command has made"):
                files.download_to(url, chosen, retry_for=60, progress=progress)
            assert target.read_bytes() == b"of another task"
        else:
            assert files.download_to(url, chosen, retry_for=60, progress=progress) == len(DATA)
            assert target.read_bytes() == DATA
    assert progress.stored_at_begin == (0 if outcome in {"replaced", "none"} else -1)
    assert not (tmp_path / "out.part").exists()


@pytest.mark.parametrize("target", ["", "missing/out"])
def test_a_bad_target_is_named(files: DownloadClient, url: str, tmp_path: Path, target: str) -> None:
    with pytest.raises(InvalidInput, match=str(tmp_path)):
        download(files, url, tmp_path / target)


def test_an_unknown_url_leaves_nothing_behind(files: DownloadClient, tmp_path: Path) -> None:
    with pytest.raises(UploadNotFound):
        download(files, f"/uploads/{'0' * 32}/x", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.part").exists()


@pytest.mark.parametrize("size", [100, len(DATA)])
def test_a_full_local_disk_is_reported(
    files: DownloadClient, uploads: UploadClient, tmp_path: Path, size: int
) -> None:
    """For a small file it shows only when the buffer is flushed."""
    source = tmp_path / "clip.mp4"
    source.write_bytes(DATA[:size])
    url = send(uploads, source, resume=False, chunk_size=CHUNKS).file_url
    (tmp_path / "out.part").symlink_to("/dev/full")
    with pytest.raises(InvalidInput, match=r"cannot write .*out: No space left on device"):
        download(files, url, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class RenamedMeanwhile(type(Path())):  # type: ignore[misc]
    """A path that another process renames to its result between our open and our lock."""

    def open(self, *arguments: Any, **more: Any) -> Any:
        file = super().open(*arguments, **more)
        part, result, theirs = Path(self), Path(self.with_suffix("")), Path(self.with_name("theirs"))
        if self.suffix == ".part" and not theirs.exists():
            part.write_bytes(b"theirs")
            part.rename(result)
            theirs.hardlink_to(result)
        return file


def test_a_result_that_another_process_just_finished_is_not_overwritten(
    files: DownloadClient, url: str, tmp_path: Path
) -> None:
    assert download(files, url, RenamedMeanwhile(tmp_path / "out")) == len(DATA)
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert (tmp_path / "out").read_bytes() == DATA
