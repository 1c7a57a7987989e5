"""Tokens revoked during a transfer: the client continues with a newer one, if there is one."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.client.tasks import TaskClient
from facecli.client.transfers import SentUpload
from facecli.client.uploads import UploadClient
from facecli.config.access import current_token
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.errors import InvalidInput, TaskNotFound, Unauthenticated
from facecli.core.progress import NullProgress
from tests.unit.client.conftest import upload_client, video_file

CHUNK = 64 * 1024
CHUNKS = 20
DEADLINE = 60.0  # seconds; when a test gives up


class TokenSource:
    """A token file that records whether it was read after its token was revoked."""

    def __init__(self, path: Path, token: str) -> None:
        self.path = path
        self.path.touch(mode=0o600)
        self.path.write_text(token)
        self.revoked = threading.Event()
        self.read_again = threading.Event()

    def __call__(self) -> str:
        if self.revoked.is_set():
            self.read_again.set()
        return current_token(Settings(token_file=str(self.path)))


class RevokedDuringUpload(NullProgress):
    """Progress of an upload whose token is revoked, and perhaps replaced, when the first chunk is stored.

    The second chunk is not sent before the token was read again.
    """

    def __init__(self, token_store: Tokens, old_id: str, source: TokenSource, *, new: str = "") -> None:
        self._tokens = token_store
        self._old_id = old_id
        self._source = source
        self._new = new

    def stored(self, total_stored: int) -> None:
        if total_stored >= CHUNK and not self._source.revoked.is_set():
            self._tokens.revoke(self._old_id)
            if self._new:
                self._source.path.write_text(self._new)
            self._source.revoked.set()

    def sent(self, total_sent: int) -> None:
        if total_sent == CHUNK:
            self._source.revoked.wait(DEADLINE)
            self._source.read_again.wait(DEADLINE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        engine="mock", bind="127.0.0.1:0", data_dir=str(tmp_path / "data"), workers=0, auth="token"
    )


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    with run_server(settings) as server:
        yield server.address


@pytest.fixture
def token_store(settings: Settings) -> Iterator[Tokens]:
    with tokens(settings) as store:
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"".join(bytes([number]) * CHUNK for number in range(CHUNKS)))
    return path


def send(address: str, path: Path, source: TokenSource, progress: NullProgress) -> SentUpload:
    with Connection(address, call_timeout=DEADLINE, token=source) as connection:
        client = UploadClient(ClientContext(connection=connection, user=""))
        (sent,) = client.send([video_file(path, progress)], chunk_size=CHUNK, retry_for=5)
        return sent.get()


def stale_once(stale: str, fresh: str) -> Callable[[], str]:
    """A token source that returns the stale token to the connection and its first call."""
    stales = iter([stale, stale])
    return lambda: next(stales, fresh)


@pytest.mark.slow
def test_an_upload_continues_with_a_new_token(
    address: str, token_store: Tokens, path: Path, tmp_path: Path
) -> None:
    old, first = token_store.create("ann")
    source = TokenSource(tmp_path / "token", first)
    sent = send(
        address,
        path,
        source,
        RevokedDuringUpload(token_store, old.id, source, new=token_store.create("ann")[1]),
    )
    assert (sent.retries, sent.size) == (1, CHUNKS * CHUNK)
    assert sent.bytes_sent == sent.size, "stored chunks were sent again"
    with Connection(address, call_timeout=DEADLINE, token=source) as connection:
        DownloadClient(ClientContext(connection=connection, user="")).download(
            sent.file_url, tmp_path / "back", retry_for=1, progress=NullProgress()
        )
    assert (tmp_path / "back").read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_an_upload_without_a_new_token_ends_and_keeps_its_stored_chunks(
    address: str, token_store: Tokens, path: Path, tmp_path: Path
) -> None:
    old, first = token_store.create("ann")
    source = TokenSource(tmp_path / "token", first)
    with pytest.raises(Unauthenticated, match="revoked"):
        send(address, path, source, RevokedDuringUpload(token_store, old.id, source))
    with Connection(address, call_timeout=DEADLINE, token=lambda: token_store.create("ann")[1]) as connection:
        (upload,) = upload_client(connection, user="").listed()
    assert upload.stored_bytes >= CHUNK


def test_a_download_and_a_watch_use_a_new_token(
    address: str, token_store: Tokens, path: Path, tmp_path: Path
) -> None:
    fresh = token_store.create("ann")[1]
    stale = token_store.create("ann", expires_in=0)[1]
    with Connection(address, call_timeout=DEADLINE, token=lambda: fresh) as connection:
        (sent,) = upload_client(connection, user="").send([video_file(path)], chunk_size=CHUNK, retry_for=5)
    url = sent.get().file_url
    with Connection(address, call_timeout=DEADLINE, token=stale_once(stale, fresh)) as connection:
        DownloadClient(ClientContext(connection=connection, user="")).download(
            url, tmp_path / "back", retry_for=1, progress=NullProgress()
        )
    with (
        Connection(address, call_timeout=DEADLINE, token=stale_once(stale, fresh)) as connection,
        pytest.raises(TaskNotFound),
    ):
        list(
            TaskClient(ClientContext(connection=connection, user="")).watch(
                "none", retry_for=1, waiting=lambda *_: None
            )
        )


def test_the_last_token_is_used_while_its_file_is_rewritten(tmp_path: Path) -> None:
    source = TokenSource(tmp_path / "token", "one")
    with Connection("127.0.0.1:1", call_timeout=1, token=source) as connection:
        source.path.write_text("")
        assert connection.metadata == (("authorization", "Bearer one"),)
        assert not connection.has_new_token()
        source.path.write_text("two")
        assert connection.has_new_token()
        assert connection.metadata == (("authorization", "Bearer two"),)
    source.path.unlink()
    with pytest.raises(InvalidInput, match="cannot read the token file"):
        Connection("127.0.0.1:1", call_timeout=1, token=source)
