"""Clients connected to a server in this process."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.bootstrap.server import run_server
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.client.transfers import FileToSend, SentUpload
from facecli.client.uploads import UploadClient
from facecli.config.settings import Settings
from facecli.core.errors import FacecliError
from facecli.core.progress import NullProgress, TransferProgress
from facecli.uploads.upload import FileType
from tests.support.garbage.clients import Clients, clients_of
from tests.support.garbage.plausible import DATA, PLAUSIBLE
from tests.support.garbage.server import GarbageServer, garbage_server

CHUNK = 1000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's data directory."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def connection(data: Path) -> Iterator[Connection]:
    settings = Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(data), workers=0)
    with run_server(settings) as server, Connection(server.address, call_timeout=30) as connection:
        yield connection


@pytest.fixture
def garbage() -> Iterator[GarbageServer]:
    with garbage_server(PLAUSIBLE) as server:
        yield server


@pytest.fixture
def clients(garbage: GarbageServer) -> Iterator[Clients]:
    with clients_of(garbage.address) as clients:
        yield clients


@pytest.fixture
def address() -> Iterator[str]:
    """An address that nobody listens at, and that nobody else gets meanwhile."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def uploads(connection: Connection) -> UploadClient:
    return UploadClient(ClientContext(connection=connection, user="ann"))


@pytest.fixture
def files(connection: Connection) -> DownloadClient:
    return DownloadClient(ClientContext(connection=connection, user="ann"))


def upload_client(connection: Connection, user: str = "ann") -> UploadClient:
    return UploadClient(ClientContext(connection=connection, user=user))


def video_file(path: Path, progress: TransferProgress | None = None) -> FileToSend:
    return FileToSend(
        path=path, name="clip.mp4", file_type=FileType.VIDEO, progress=progress or NullProgress()
    )


def upload(clients: Clients, path: Path, *, retry_for: float) -> FacecliError | None:
    """The error of an upload in small chunks."""
    (outcome,) = clients.uploads.send([video_file(path)], chunk_size=4, retry_for=retry_for)
    return outcome.error


def clips(folder: Path, count: int, *, size: int = 100) -> list[FileToSend]:
    files = []
    for number in range(count):
        path = folder / f"{number}.mp4"
        path.write_bytes(os.urandom(size))
        files.append(FileToSend(path=path, name=path.name, file_type=FileType.VIDEO, progress=NullProgress()))
    return files


def send(uploads: UploadClient, path: Path, *, resume: bool = True, chunk_size: int = CHUNK) -> SentUpload:
    (sent,) = uploads.send([video_file(path)], chunk_size=chunk_size, resume=resume, retry_for=5)
    return sent.get()
