"""Many files on one stream, and the outcome of each."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

from facecli.client.connection import Connection
from facecli.client.transfers import FileToSend
from facecli.client.upload_run import BATCH_SIZE
from facecli.client.upload_state import TAKEOVER_TIMEOUT, UploadState
from facecli.client.uploads import UploadClient
from facecli.core.errors import FacecliError, InvalidInput, TakenOver
from facecli.core.progress import NullProgress
from facecli.uploads.upload import FileType, UploadStatus
from facecli.uploads.view import UploadView
from tests.unit.client.conftest import CHUNK, clips, upload_client


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


def test_clients_that_send_the_same_files_at_once_share_the_uploads(
    connection: Connection, tmp_path: Path
) -> None:
    files = clips(tmp_path, 3, size=50 * CHUNK)
    clients = [upload_client(connection, user="shared") for _ in range(3)]
    barrier = Barrier(len(clients))

    def send(client: UploadClient) -> list[str]:
        barrier.wait()
        return sorted(each.get().upload_id for each in client.send(files, chunk_size=CHUNK, retry_for=60))

    with ThreadPoolExecutor(len(clients)) as pool:
        first, *others = pool.map(send, clients)
    assert others == [first, first]
    assert sorted(each.id for each in clients[0].listed()) == first


def test_an_upload_is_left_to_another_client_while_that_makes_progress(tmp_path: Path) -> None:
    (file,) = clips(tmp_path, 1, size=3 * CHUNK)
    now = 0.0
    state = UploadState(file, user="ann", chunk_size=CHUNK, fresh=False, clock=lambda: now)
    upload = UploadView(
        id="a",
        name=file.name,
        file_type=FileType.VIDEO,
        size=3 * CHUNK,
        chunk_size=CHUNK,
        total_chunks=3,
        status=UploadStatus.INCOMPLETE,
        stored_bytes=0,
        stored_chunks=0,
        crc32c=None,
        created_at=0,
        expires_at=1,
    )
    assert not state.begin(upload, [])
    state.leave(TakenOver("another writer continues"))
    now += TAKEOVER_TIMEOUT - 1
    assert state.begin(replace(upload, stored_bytes=CHUNK, stored_chunks=1), [])
    now += TAKEOVER_TIMEOUT - 1
    assert not state.begin(replace(upload, stored_bytes=CHUNK, stored_chunks=1), [])
    assert state.left_for
    now += 1
    assert not state.begin(replace(upload, stored_bytes=CHUNK, stored_chunks=1), [])
    assert not state.left_for


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
