"""Domain events: what happened to uploads, tasks, workers and calls, as data.

Code publishes an event once the change is durable. Audit, logs and metrics subscribe to the bus.
An event names its subjects by id and carries no secret, path or file content. Each process has a bus of its
own: a worker publishes the start and end of its tasks there, and sends them to the server that started it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A domain event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCreated(Event):
    upload_id: str
    owner: str
    size: int | None  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResumed(Event):
    """A client began an incomplete upload again; `stored` bytes need not be sent again."""

    upload_id: str
    owner: str
    stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkStored(Event):
    """A chunk is durable and may be acknowledged."""

    upload_id: str
    owner: str
    index: int
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRepeated(Event):
    """A chunk that was durable already came again."""

    upload_id: str
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesLost(Event):
    """A stream ended with bytes that belong to no stored chunk; they must be sent again."""

    upload_id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommitted(Event):
    """Chunks became durable by one flush of their files and one commit of their rows, in seconds each."""

    chunks: int
    flush: float
    commit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkAcknowledged(Event):
    """Seconds to receive a chunk, write it, send it to a bucket; from its end to its acknowledgement."""

    receive: float
    write: float
    send: float | None = None
    acknowledge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesSent(Event):
    """A block of a file is on its way to a client."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCompleted(Event):
    upload_id: str
    owner: str
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadDeleted(Event):
    """`cause` is cancelled or expired."""

    upload_id: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(Event):
    task_id: str
    owner: str
    engine: str
    request_id: str = ""  # of the call that created or last retried the task, here and below


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(Event):
    task_id: str
    engine: str
    worker: str
    attempt: int
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesSwapped(Event):
    task_id: str
    engine: str
    frames: int  # since the last such event of this attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCrashed(Event):
    """The worker or ffmpeg crashed while it ran the task."""

    task_id: str
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequeued(Event):
    """A worker lost the task or gave it back; another one takes it."""

    task_id: str
    engine: str
    worker: str
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded(Event):
    """`status` is completed, failed or cancelled; `reason` and `message` are the error's, else empty."""

    task_id: str
    engine: str
    status: str
    reason: str
    message: str
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetried(Event):
    task_id: str
    round: int
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeleted(Event):
    """`cause` is requested or expired."""

    task_id: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Event):
    """The lease of a worker expired."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerExited(Event):
    """A worker process of this server ended, and is started again."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestEnded(Event):
    """`route` and `method` are known ones, or `other`; `status` is 0 without a response."""

    route: str
    method: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A call over any transport ended.

    `user` is the authenticated user, or the name sent where names are trusted; `acting_for` is set when an
    admin acted for somebody else. `outcome` is the name of the status. `subjects` are the uploads and tasks
    that the call was about, as (kind, id). `changes` is whether the method can change anything.
    """

    request_id: str
    method: str
    changes: bool
    user: str
    acting_for: str
    outcome: str
    seconds: float
    peer: str
    subjects: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(Event):
    """A call was refused with an error of ours; `reason` is its stable reason."""

    request_id: str
    method: str
    user: str
    reason: str


Listener = Callable[[Event], None]


class EventBus:
    """Hands each event to every listener, in the publisher's thread. Safe to use from many threads.

    A listener returns at once. One that raises is logged and loses only that event: a metric must not cost an
    upload.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("event listener failed", extra={"event": type(event).__name__})
