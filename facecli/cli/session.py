"""A command's settings and its clients, connected."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facecli import config
from facecli.config import Settings

if TYPE_CHECKING:
    from facecli.client.files import FileClient
    from facecli.client.swaps import SwapClient
    from facecli.client.tasks import TaskClient
    from facecli.client.uploads import UploadClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    settings: Settings
    uploads: "UploadClient"
    tasks: "TaskClient"
    files: "FileClient"
    swaps: "SwapClient"


@contextmanager
def session(
    *,
    profile: str | None = None,
    server: str | None = None,
    user: str | None = None,
    timeout: float | None = None,
    chunk_size: int | None = None,
    retry_for: float | None = None,
    progress: str | None = None,
) -> Iterator[Session]:
    """Clients on one connection, made with the first call. gRPC is imported here, not at start-up."""
    settings = config.load(
        {
            "server": server,
            "user": user,
            "timeout": timeout,
            "chunk_size": chunk_size,
            "retry_for": retry_for,
            "progress": progress,
        },
        profile=profile,
    )
    with connected(settings) as clients:
        yield clients


@contextmanager
def connected(settings: Settings) -> Iterator[Session]:
    from facecli.client.connection import Connection
    from facecli.client.files import FileClient
    from facecli.client.swaps import SwapClient
    from facecli.client.tasks import TaskClient
    from facecli.client.uploads import UploadClient

    with Connection(
        settings.server, token=settings.token, timeout=settings.timeout, insecure=settings.insecure
    ) as connection:
        uploads = UploadClient(connection, user=settings.user)
        tasks = TaskClient(connection, user=settings.user)
        files = FileClient(connection, user=settings.user)
        yield Session(
            settings=settings,
            uploads=uploads,
            tasks=tasks,
            files=files,
            swaps=SwapClient(uploads=uploads, tasks=tasks, files=files),
        )
