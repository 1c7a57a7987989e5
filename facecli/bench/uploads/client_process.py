"""The side of a bench that sends: one client, in a process of its own."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from facecli.bench.uploads.history import History, delays, resent
from facecli.bench.usage import Usage, usage
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.client.transfers import FileToSend, SentUpload
from facecli.client.uploads import UploadClient
from facecli.core.tls import ClientTls
from facecli.uploads.upload import FileType

SAY_EVERY = 0.1  # seconds between two words about what is stored

GO = "go"
READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, and how it is talked to."""

    servers: str
    user: str
    token: Callable[[], str]
    tls: ClientTls | None
    timeout: float
    retry_for: float
    insecure: bool

    def connect(self, servers: str = "") -> Connection:
        """To the server itself, or on the way to it."""
        return Connection(
            servers or self.servers,
            token=self.token,
            timeout=self.timeout,
            tls=self.tls,
            insecure=self.insecure,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Send the content by these names, over a line or straight."""

    line: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """So many bytes of this run's."""

    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of an order: `delays` in seconds, one a chunk; `resent` in bytes, one a break."""

    seconds: float
    delays: list[float]
    resent: list[int]
    used: Usage


def send_on_order(pipe: "Pipe[Any, Any]", target: Target, content: Path, chunk_size: int) -> None:
    """Say what the server is, then for each Order: READY, wait, send, Delivered, wait, remove, READY."""
    with target.connect() as straight:
        pipe.send(DownloadClient(ClientContext(connection=straight, user=target.user)).info())
        remover = UploadClient(ClientContext(connection=straight, user=target.user))
        while True:
            order: Order = pipe.recv()
            with target.connect(order.line) as connection:
                client = UploadClient(ClientContext(connection=connection, user=target.user))
                pipe.send(READY)
                pipe.recv()
                sent = _deliver(client, pipe, order, content, chunk_size, target.retry_for)
            pipe.recv()
            for upload in sent:
                remover.cancel(upload.upload_id)
            pipe.send(READY)


def _deliver(
    client: UploadClient,
    pipe: "Pipe[Any, Any]",
    order: Order,
    content: Path,
    chunk_size: int,
    retry_for: float,
) -> list[SentUpload]:
    history = History(
        told=_now_and_then(lambda total: pipe.send(Stored(total=total))),
        waiting=lambda reason, seconds: pipe.send(Waiting(reason=reason, seconds=seconds)),
    )
    files = [
        FileToSend(path=content, name=name, file_type=FileType.VIDEO, progress=history.of_next_file())
        for name in order.names
    ]
    used, began = usage(), time.monotonic()
    sent = [
        each.get() for each in client.send(files, chunk_size=chunk_size, resume=False, retry_for=retry_for)
    ]
    seconds, now = time.monotonic() - began, usage()
    pipe.send(
        Delivered(
            seconds=seconds,
            delays=delays(history.moments, chunk_size=chunk_size),
            resent=resent(history.moments, chunk_size=chunk_size),
            used=Usage(cpu_seconds=now.cpu_seconds - used.cpu_seconds, peak_memory=now.peak_memory),
        )
    )
    return sent


def _now_and_then(tell: Callable[[int], None]) -> Callable[[int], None]:
    """Often enough for a bar, and seldom enough not to be measured."""
    next_at = 0.0

    def told(total: int) -> None:
        nonlocal next_at
        if (now := time.monotonic()) >= next_at:
            next_at = now + SAY_EVERY
            tell(total)

    return told
