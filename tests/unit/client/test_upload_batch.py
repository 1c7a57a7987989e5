"""Many files on one stream, and the outcome of each."""

import os
from pathlib import Path

from facecli.client.transfers import FileToSend
from facecli.client.upload_run import BATCH_SIZE
from facecli.client.uploads import UploadClient
from facecli.core.errors import FacecliError, InvalidInput
from facecli.core.progress import NullProgress
from facecli.uploads.upload import FileType
from tests.unit.client.conftest import CHUNK, clips


def errors(uploads: UploadClient, files: list[FileToSend]) -> dict[str, type[FacecliError] | None]:
    """The error type of each outcome, None for success, by file name or error message."""
    outcomes = uploads.send(files, chunk_size=CHUNK, retry_for=5)
    return {
        sent.upload.name if sent.upload else str(sent.error): type(sent.error) if sent.error else None
        for sent in outcomes
    }


def test_more_files_than_a_batch_arrive_and_are_skipped_the_second_time(
    uploads: UploadClient, data: Path, tmp_path: Path
) -> None:
    files = clips(tmp_path, BATCH_SIZE + 7)
    sent = [each.get() for each in uploads.send(files, chunk_size=CHUNK, retry_for=5)]
    again = [each.get() for each in uploads.send(files, chunk_size=CHUNK, retry_for=5)]
    assert [each.name for each in sent] == [file.name for file in files]
    assert [each.upload_id for each in again] == [each.upload_id for each in sent]
    assert {(each.bytes_sent, each.bytes_skipped) for each in again} == {(0, 100)}
    for each, file in zip(sent, files, strict=True):
        assert (data / "uploads" / each.upload_id / "data").read_bytes() == file.path.read_bytes()


def test_large_and_small_files_share_a_stream(uploads: UploadClient, data: Path, tmp_path: Path) -> None:
    files = [*clips(tmp_path, 1, size=20 * CHUNK + 3), *clips(tmp_path / make(tmp_path, "small"), 3)]
    for each, file in zip(uploads.send(files, chunk_size=CHUNK, retry_for=5), files, strict=True):
        stored = data / "uploads" / each.get().upload_id / "data"
        assert stored.read_bytes() == file.path.read_bytes()


def test_the_same_file_twice_is_one_upload(uploads: UploadClient, tmp_path: Path) -> None:
    (file,) = clips(tmp_path, 1, size=5 * CHUNK)
    first, second = (each.get() for each in uploads.send([file, file], chunk_size=CHUNK, retry_for=5))
    assert first.upload_id == second.upload_id
    assert (first.bytes_sent, second.bytes_sent) == (5 * CHUNK, 0)


def test_a_refused_file_does_not_stop_the_others(uploads: UploadClient, tmp_path: Path) -> None:
    good, bad, more = clips(tmp_path, 3)
    refused = FileToSend(path=bad.path, name="a/b.mp4", file_type=FileType.VIDEO, progress=NullProgress())
    outcomes = errors(uploads, [good, refused, more])
    assert (outcomes.pop("0.mp4"), outcomes.pop("2.mp4")) == (None, None)
    ((message, kind),) = outcomes.items()
    assert kind is InvalidInput
    assert "is a path" in message


def test_a_file_that_changes_during_its_upload_is_refused_and_never_complete(
    uploads: UploadClient, tmp_path: Path
) -> None:
    before, changing, after = clips(tmp_path, 3, size=30 * CHUNK)

    class ChangesTheFile(NullProgress):
        def sent(self, total_sent: int) -> None:
            if total_sent == 10 * CHUNK:
                with changing.path.open("r+b") as file:
                    file.write(b"other bytes")

    changing = FileToSend(
        path=changing.path, name=changing.name, file_type=FileType.VIDEO, progress=ChangesTheFile()
    )
    outcomes = errors(uploads, [before, changing, after])
    assert (outcomes.pop("0.mp4"), outcomes.pop("2.mp4")) == (None, None)
    ((message, kind),) = outcomes.items()
    assert kind is InvalidInput
    assert f"{changing.path} changed while it was read" in message


def test_no_file_stays_open(uploads: UploadClient, tmp_path: Path) -> None:
    files = clips(tmp_path, 20)
    files[3].path.unlink()
    list(uploads.send(files, chunk_size=CHUNK, retry_for=5))
    fds = [fd.name for fd in Path("/proc/self/fd").iterdir()]
    open_files = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in fds}
    assert not [path for path in open_files if path.startswith(str(tmp_path))]


def make(folder: Path, name: str) -> str:
    (folder / name).mkdir()
    return name
