"""The client of the library, on a server in this process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import facecli
from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from tests.support.sockets import free_port

DATA = b"\xff\xd8\xff\xe0" + b"face" * 100_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("data")
    with run_server(Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(data), workers=0)) as server:
        yield server.address


@pytest.fixture
def client(address: str, request: pytest.FixtureRequest) -> Iterator[facecli.Client]:
    with facecli.connect(address, user=request.node.name, chunk_size=64 * 1024) as client:
        yield client


@pytest.fixture
def face(tmp_path: Path) -> Path:
    (tmp_path / "face.jpg").write_bytes(DATA)
    return tmp_path / "face.jpg"


def test_a_callback_gets_every_stored_chunk(client: facecli.Client, face: Path) -> None:
    states = list[facecli.Transfer]()
    sent = client.upload(face, progress=states.append)
    stored = [state.stored for state in states]
    assert stored == sorted(stored)
    assert len(set(stored)) == sent.chunks + 1
    assert states[-1] == facecli.Transfer(name="face.jpg", total=len(DATA), stored=len(DATA), verified=True)
    assert client.upload(face).bytes_sent == 0


def test_an_error_of_a_callback_ends_the_call_which_can_be_resumed(
    client: facecli.Client, face: Path
) -> None:
    def stop(state: facecli.Transfer) -> None:
        if state.stored:
            raise KeyError(state.name)

    with pytest.raises(KeyError):
        client.upload(face, progress=stop)
    assert client.upload(face).bytes_skipped > 0


def test_uploads_are_named_by_id_url_or_object(client: facecli.Client, face: Path) -> None:
    sent = client.upload(face)
    (listed,) = client.uploads.list()
    for reference in (sent, listed, sent.upload_id, sent.file_url):
        assert client.uploads.get(reference).id == sent.upload_id
    client.uploads.delete(sent)
    with pytest.raises(facecli.UploadNotFound) as missing:
        client.uploads.get(sent)
    assert (missing.value.reason, missing.value.retryable) == ("UPLOAD_NOT_FOUND", False)
    assert "facecli upload" in missing.value.hint


def test_a_download_replaces_another_file_only_if_asked(
    client: facecli.Client, face: Path, tmp_path: Path
) -> None:
    sent = client.upload(face)
    out = tmp_path / "-"
    assert client.download(sent, out) == client.download(sent.file_url, out) == out
    out.write_bytes(b"another")
    with pytest.raises(facecli.AlreadyExists, match="overwrite=True"):
        client.download(sent, out)
    client.download(sent, out, overwrite=True)
    assert out.read_bytes() == DATA
    (tmp_path / "folder").mkdir()
    assert client.download(sent, tmp_path / "folder") == tmp_path / "folder" / "face.jpg"


def test_files_are_checked_before_anything_is_sent(
    client: facecli.Client, face: Path, tmp_path: Path
) -> None:
    with pytest.raises(facecli.InvalidInput, match=r"clip\.mp4"):
        client.swap(face, tmp_path / "clip.mp4", tmp_path / "out.mp4")
    assert not [*client.uploads.list()]


def test_threads_share_a_client(client: facecli.Client, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(DATA + bytes([number]))
    with ThreadPoolExecutor(4) as pool:
        sent = [*pool.map(client.upload, paths)]
    assert {upload.id for upload in client.uploads.list()} == {each.upload_id for each in sent}


def test_terms_against_the_policy_are_refused_before_a_byte_is_sent(
    client: facecli.Client, face: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    sent = client.upload(face)
    for call in (
        lambda: client.swap(face, clip, tmp_path / "out.mp4", no_label="our test"),
        lambda: client.preview(face, clip, no_label="our test"),
        lambda: client.tasks.create(sent, sent, no_label="our test"),
    ):
        with pytest.raises(facecli.PolicyRefused, match="allows no waiver"):
            call()
    assert [each.name for each in client.uploads.list()] == ["face.jpg"]


def test_no_server_is_an_error_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with facecli.connect(f"127.0.0.1:{free_port()}", retry_for=0) as client:
        with pytest.raises(facecli.ServerUnreachable) as away:
            client.server_info()
        assert away.value.retryable
    assert capfd.readouterr() == ("", "")


def test_a_call_ends_at_its_own_timeout(face: Path) -> None:
    with facecli.connect(f"127.0.0.1:{free_port()}") as client:
        with pytest.raises(facecli.TimedOut, match=r"had not ended after 0\.1s"):
            client.upload(face, timeout=0.1)
        with pytest.raises(facecli.TimedOut, match=r"0\.2s"):
            client.upload(face, timeout=0.2)


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("FACECLI_SERVER", "nonsense")
    with pytest.raises(facecli.InvalidInput, match="nonsense"):
        facecli.connect()
    with facecli.connect(address) as client:
        assert "mock" in client.server_info().engines
