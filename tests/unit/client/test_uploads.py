"""The upload client: bytes sent, bytes skipped, and progress."""

from pathlib import Path

import pytest

from facecli.client.connection import Connection
from facecli.client.downloads import DownloadClient
from facecli.client.uploads import UploadClient
from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.core.progress import NullProgress
from facecli.core.tls import ClientTls
from facecli.uploads.upload import FRAME_SIZE
from tests.unit.client.conftest import CHUNK, send, video_file

DATA = bytes(range(256)) * 20  # 5,120 bytes: six chunks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    return path


def test_a_file_arrives_and_is_skipped_the_second_time(
    uploads: UploadClient, files: DownloadClient, path: Path, tmp_path: Path
) -> None:
    first, again = send(uploads, path, resume=False), send(uploads, path)
    assert (first.bytes_sent, first.bytes_skipped, first.chunks) == (5120, 0, 6)
    assert (again.bytes_sent, again.bytes_skipped, again.file_url) == (0, 5120, first.file_url)
    files.download(first.file_url, tmp_path / "back", retry_for=1, progress=NullProgress())
    assert (tmp_path / "back").read_bytes() == DATA


@pytest.mark.slow
def test_a_file_of_equal_name_size_and_fingerprint_is_another_upload(
    uploads: UploadClient, files: DownloadClient, tmp_path: Path
) -> None:
    megabytes = 3 * 1024 * 1024
    path = tmp_path / "big.mp4"
    path.write_bytes(b"a" * megabytes)
    first = send(uploads, path)
    changed = b"a" * (megabytes // 2) + b"b" + b"a" * (megabytes // 2 - 1)
    path.write_bytes(changed)
    second = send(uploads, path)
    assert second.upload_id != first.upload_id
    files.download(second.file_url, tmp_path / "back", retry_for=1, progress=NullProgress())
    assert (tmp_path / "back").read_bytes() == changed


def test_no_resume_sends_everything_to_a_new_upload(uploads: UploadClient, path: Path) -> None:
    first, fresh = send(uploads, path), send(uploads, path, resume=False)
    assert fresh.upload_id != first.upload_id
    assert fresh.bytes_sent == len(DATA)


def test_stored_bytes_never_decrease(uploads: UploadClient, path: Path) -> None:
    class Recorder(NullProgress):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def begin(self, name: str, total: int | None, stored: int) -> None:
            self.seen.append(stored)

        def stored(self, total_stored: int) -> None:
            self.seen.append(total_stored)

    recorder = Recorder()

    list(uploads.send([video_file(path, recorder)], chunk_size=CHUNK, resume=False, retry_for=5))
    assert recorder.seen == sorted(recorder.seen)
    assert (recorder.seen[0], recorder.seen[-1]) == (0, len(DATA))


def test_every_sent_frame_is_reported(uploads: UploadClient, tmp_path: Path) -> None:
    class Recorder(NullProgress):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def sent(self, total_sent: int) -> None:
            self.seen.append(total_sent)

    recorder = Recorder()
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(3 * FRAME_SIZE + 5))
    list(uploads.send([video_file(path, recorder)], chunk_size=2 * FRAME_SIZE, retry_for=5))
    assert recorder.seen == [FRAME_SIZE, 2 * FRAME_SIZE, 3 * FRAME_SIZE, 3 * FRAME_SIZE + 5]


@pytest.mark.parametrize("address", ["nonsense", "host:", ":1", "host:99999", "host:0", "a:1,b"])
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="HOST:PORT"):
        Connection(address, call_timeout=1)


def test_a_token_is_never_sent_unencrypted() -> None:
    with pytest.raises(PolicyRefused, match="unencrypted"):
        Connection("192.0.2.1:1", token=lambda: "s3cret", call_timeout=1)
    Connection("127.0.0.1:1", token=lambda: "s3cret", call_timeout=1).channel.close()
    Connection("192.0.2.1:1", token=lambda: "s3cret", call_timeout=1, tls=ClientTls()).channel.close()
