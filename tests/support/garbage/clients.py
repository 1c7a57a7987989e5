"""Clients of a garbage server, whose waits take no time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.downloads import DownloadClient
from facecli.client.tasks import TaskClient
from facecli.client.uploads import UploadClient
from tests.support.eventually import DEADLINE


@dataclass
class Time:
    """A clock that only sleeping moves; `happens` is called after every sleep."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    happens: Callable[[], object] = lambda: None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.happens()


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The clients of one connection, the clock that they wait by, and what the user reads."""

    uploads: UploadClient
    tasks: TaskClient
    files: DownloadClient
    time: Time
    notes: list[str]
    connection: Connection

    def wait_until_connected(self) -> None:
        """Wait, in real time, until gRPC's own pauses between two tries are over.

        An upload that was broken twice goes on over the patient channel, which pauses by itself.
        """
        for channel in (self.connection.channel, self.connection.patient_channel):
            grpc.channel_ready_future(channel).result(DEADLINE)


@contextmanager
def clients_of(
    address: str, *, retry_for: float = 0, call_timeout: float = 30, timeout: float | None = None
) -> Iterator[Clients]:
    time, notes = Time(), list[str]()
    with Connection(
        address,
        call_timeout=call_timeout,
        retry_for=retry_for,
        timeout=timeout,
        notify=notes.append,
        clock=time.clock,
        sleep=time.sleep,
    ) as connection:
        context = ClientContext(connection=connection, user="ann", clock=time.clock, sleep=time.sleep)
        yield Clients(
            uploads=UploadClient(context),
            tasks=TaskClient(context),
            files=DownloadClient(context),
            time=time,
            notes=notes,
            connection=connection,
        )
