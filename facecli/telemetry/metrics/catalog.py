"""The catalog of metrics: the only place that names them.

README, alerts and dashboard are checked against it. It loads no library, so that commands can read it.
Labels have values from fixed sets: methods, routes, statuses, reasons, stages, kinds and installed engines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "facecli_"


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric; `worker` is whether a worker that runs by itself has it, too. Buckets are upper bounds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    worker: bool = False


METRICS: list[Metric] = []  # in the order of the README


def _metric(
    kind: Kind,
    name: str,
    help: str,
    *labels: str,
    buckets: Sequence[float] = (),
    worker: bool = False,
) -> Metric:
    metric = Metric(
        name=PREFIX + name, kind=kind, help=help, labels=labels, buckets=tuple(buckets), worker=worker
    )
    METRICS.append(metric)
    return metric


_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
_STAGE_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

BUILD_INFO = _metric(_G, "build_info", "1, with the versions as labels.", "version", "python", worker=True)
READY = _metric(_G, "ready", "1 while the server takes calls, as its health service says.")

RPC_CALLS = _metric(_C, "rpc_calls_total", "Ended calls by method and status code.", "method", "code")
RPC_SECONDS = _metric(
    _H, "rpc_duration_seconds", "Duration of calls by method.", "method", buckets=_CALL_SECONDS
)
HTTP_REQUESTS = _metric(
    _C, "http_requests_total", "HTTP requests by route, method and status.", "route", "method", "code"
)
HTTP_SECONDS = _metric(
    _H, "http_request_duration_seconds", "Duration of HTTP requests.", "route", buckets=_CALL_SECONDS
)
REFUSALS = _metric(
    _C, "refusals_total", "Refused calls by reason, such as quota and admission control.", "reason"
)
SLOTS_USED = _metric(
    _G, "slots_in_use", "Slots that calls hold: open uploads, watchers, downloads, short calls.", "kind"
)
SLOTS_LIMIT = _metric(_G, "slots_limit", "Slots of each kind.", "kind")

RECEIVED_BYTES = _metric(_C, "upload_received_bytes_total", "Bytes of files received, repeated or not.")
STORED_BYTES = _metric(_C, "upload_stored_bytes_total", "Bytes of chunks made durable.")
RESENT_BYTES = _metric(
    _C,
    "upload_retransmitted_bytes_total",
    "Received bytes that clients send twice: of stored chunks, and of chunks that broke off.",
)
SENT_BYTES = _metric(_C, "download_sent_bytes_total", "Bytes of files sent.")
STAGE_SECONDS = _metric(
    _H,
    "upload_stage_seconds",
    "Time of a chunk in `receive`, `write` and, to a bucket, `send`; of a batch in `flush` and `commit`.",
    "stage",
    buckets=_STAGE_SECONDS,
)
ACKNOWLEDGE_SECONDS = _metric(
    _H,
    "upload_acknowledgement_seconds",
    "Time from the last frame of a chunk to its acknowledgement.",
    buckets=_STAGE_SECONDS,
)
UPLOADS_CREATED = _metric(_C, "uploads_created_total", "Uploads created.")
UPLOADS_RESUMED = _metric(_C, "uploads_resumed_total", "Incomplete uploads that a client began again.")
UPLOADS_COMPLETED = _metric(_C, "uploads_completed_total", "Uploads completed.")
UPLOADS_DELETED = _metric(_C, "uploads_deleted_total", "Uploads deleted, cancelled or expired.", "cause")
UPLOADS_INCOMPLETE = _metric(_G, "uploads_incomplete", "Uploads in the database that are not complete.")

BYTES_KEPT = _metric(
    _G,
    "kept_bytes",
    "Stored bytes of `uploads` and `results`, in the bucket or the data directory.",
    "kind",
)

TASKS_CREATED = _metric(_C, "tasks_created_total", "Tasks created.", "engine")
QUEUE_DEPTH = _metric(_G, "queue_depth", "Tasks that wait for a worker.", "engine")
QUEUE_AGE = _metric(
    _G, "queue_age_seconds", "Time for which the oldest waiting task has been waiting.", "engine"
)
TASKS_RUNNING = _metric(_G, "tasks_running", "Tasks that a worker runs.", "engine")
TASKS_ENDED = _metric(
    _C, "tasks_ended_total", "Tasks completed, failed and cancelled.", "engine", "status", worker=True
)
TASK_FAILURES = _metric(_C, "task_failures_total", "Failed tasks by reason.", "reason", worker=True)
TASK_ATTEMPTS = _metric(_C, "task_attempts_total", "Attempts at tasks begun.", "engine", worker=True)
TASK_CRASHES = _metric(
    _C,
    "task_crashes_total",
    "Crashes of workers and of ffmpeg that interrupted a task.",
    "engine",
    worker=True,
)
TASK_REQUEUES = _metric(
    _C, "task_requeues_total", "Tasks that a worker lost or gave back.", "engine", worker=True
)
FRAMES = _metric(_C, "frames_swapped_total", "Frames that engines have swapped.", "engine", worker=True)

WORKERS = _metric(_G, "worker_processes", "Worker processes of this server that run.")
WORKERS_WANTED = _metric(_G, "worker_processes_wanted", "Worker processes that this server keeps running.")
WORKER_LEASES = _metric(_G, "worker_leases", "Workers with a lease, on all machines.")
LEASES_EXPIRED = _metric(
    _C, "worker_leases_expired_total", "Leases of workers found expired by this process.", worker=True
)
WORKER_EXITS = _metric(_C, "worker_exits_total", "Worker processes of this server that ended unexpectedly.")

DATABASE_ANSWERED = _metric(
    _G, "database_last_success_timestamp_seconds", "Time of the last answer of the database."
)
DATABASE_SECONDS = _metric(_G, "database_query_seconds", "Duration of the last query for these figures.")
DISK_FREE = _metric(_G, "disk_free_bytes", "Free space of the data directory's file system.")
DISK_SIZE = _metric(_G, "disk_size_bytes", "Size of the data directory's file system.")
CERTIFICATE_EXPIRY = _metric(
    _G,
    "certificate_expiry_timestamp_seconds",
    "Expiry of the TLS certificates: `server` and `client_ca`.",
    "certificate",
)
TOKEN_EXPIRY = _metric(
    _G, "token_next_expiry_timestamp_seconds", "Expiry of the valid token that expires first."
)
BACKUP_TIME = _metric(
    _G,
    "backup_last_success_timestamp_seconds",
    "Begin of the last complete `facecli backup` of the data directory.",
)
