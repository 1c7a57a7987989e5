"""A client process of `bench upload`."""

import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from facecli.bench.messages import READY
from facecli.bench.target import Target
from facecli.bench.uploads.history import TransferHistory, ack_delays, resent_bytes
from facecli.bench.uploads.messages import ClientResult, SendOrder, Stored, Waiting
from facecli.bench.usage import Usage, usage
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.client.transfers import FileToSend, SentUpload
from facecli.client.uploads import UploadClient
from facecli.uploads.upload import FileType

REPORT_INTERVAL = 0.1  # seconds between two reports of the stored bytes


def run_client(pipe: "Pipe[Any, Any]", target: Target, content: Path, chunk_size: int) -> None:
    """Send the server's information, then serve orders.

    For each SendOrder: READY, wait for GO, send, ClientResult, wait for GO, remove the uploads, READY.
    """
    with target.connect() as direct:
        context = ClientContext(connection=direct, user=target.user)
        pipe.send(DownloadClient(context).info())
        remover = UploadClient(context)
        while True:
            order: SendOrder = pipe.recv()
            with target.connect(order.proxy) as connection:
                client = UploadClient(ClientContext(connection=connection, user=target.user))
                pipe.send(READY)
                pipe.recv()
                sent = _send(client, pipe, order, content, chunk_size, target.retry_for)
            pipe.recv()
            for upload in sent:
                remover.cancel(upload.upload_id)
            pipe.send(READY)


def _send(
    client: UploadClient,
    pipe: "Pipe[Any, Any]",
    order: SendOrder,
    content: Path,
    chunk_size: int,
    retry_for: float,
) -> list[SentUpload]:
    history = TransferHistory(
        on_stored=_throttled(lambda total: pipe.send(Stored(total=total))),
        on_waiting=lambda reason, seconds: pipe.send(Waiting(reason=reason, seconds=seconds)),
    )
    files = [
        FileToSend(path=content, name=name, file_type=FileType.VIDEO, progress=history.next_file())
        for name in order.names
    ]
    before, started = usage(), time.monotonic()
    outcomes = client.send(files, chunk_size=chunk_size, resume=False, retry_for=retry_for)
    sent = [outcome.get() for outcome in outcomes]
    seconds, after = time.monotonic() - started, usage()
    pipe.send(
        ClientResult(
            seconds=seconds,
            delays=ack_delays(history.events, chunk_size=chunk_size),
            resent=resent_bytes(history.events, chunk_size=chunk_size),
            used=Usage(cpu_seconds=after.cpu_seconds - before.cpu_seconds, peak_memory=after.peak_memory),
            stages=client.stages,
        )
    )
    return sent


def _throttled(report: Callable[[int], None]) -> Callable[[int], None]:
    """Pass on reports often enough for a progress bar, and too rarely to affect the measurement."""
    next_at = 0.0

    def throttled(total: int) -> None:
        nonlocal next_at
        if (now := time.monotonic()) >= next_at:
            next_at = now + REPORT_INTERVAL
            report(total)

    return throttled
