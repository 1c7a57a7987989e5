"""A time line for each alert: series, and the minutes at which it is silent, fires and is resolved.

Values are in the notation of `promtool test rules`, one a minute: 1x4 is 1 five times, 0+60x2 is 0 60 120.
Time begins at 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_DAY = 86400
_CALLS = 'facecli_rpc_calls_total{instance="a", method="m", '
_BUCKET = "facecli_upload_acknowledgement_seconds_bucket"
_ENDED = 'facecli_tasks_ended_total{instance="a", engine="mock", '


@dataclass(frozen=True)
class Case:
    alert: str
    series: Mapping[str, str]
    silent: int  # minutes, while the condition does not hold or not yet long enough
    fires: int
    resolved: int


CASES = (
    Case("FacecliServerDown", {'up{job="facecli", instance="a"}': "1x2 0x4 1x4"}, 3, 4, 8),
    Case("FacecliWorkerDown", {'up{job="facecli-worker", instance="a"}': "1x2 0x4 1x4"}, 4, 5, 8),
    Case(
        "FacecliWorkerDown",
        {
            'facecli_worker_processes{instance="a"}': "2x2 1x5 2x4",
            'facecli_worker_processes_wanted{instance="a"}': "2x20",
        },
        *(4, 5, 9),
    ),
    Case("FacecliNotReady", {'facecli_ready{instance="a"}': "1x2 0x4 1x4"}, 3, 4, 8),
    Case(
        "FacecliErrors",
        {_CALLS + 'code="OK"}': "0+60x50", _CALLS + 'code="INTERNAL"}': "0x5 0+6x15 90x30"},
        *(8, 16, 28),
    ),
    Case(
        "FacecliAcknowledgementSlow",
        {
            _BUCKET + '{instance="a", le="1"}': "0x50",
            _BUCKET + '{instance="a", le="2.5"}': "0+10x20 200x20",
            _BUCKET + '{instance="a", le="+Inf"}': "0+10x20 200x20",
        },
        *(5, 8, 27),
    ),
    Case(
        "FacecliUploadsStalled",
        {
            'facecli_slots_in_use{instance="a", kind="uploads"}': "2x90",
            'facecli_upload_received_bytes_total{instance="a"}': "0+1000x10 10000x45 10000+1000x20",
        },
        *(38, 42, 60),
    ),
    Case("FacecliQueueOld", {'facecli_queue_age_seconds{engine="mock"}': "0+60x40 0x5"}, 20, 21, 41),
    Case(
        "FacecliTasksFailing",
        {_ENDED + 'status="failed"}': "0x2 0+1x10 10x60", _ENDED + 'status="completed"}': "0+2x80"},
        *(4, 14, 50),
    ),
    Case("FacecliCrashLoop", {'facecli_worker_exits_total{instance="a"}': "0x2 0+1x6 6x30"}, 4, 9, 26),
    Case("FacecliCrashLoop", {'facecli_task_crashes_total{engine="mock"}': "0x2 0+1x6 6x30"}, 4, 9, 26),
    Case(
        "FacecliDiskFilling",
        {
            'facecli_disk_free_bytes{instance="a"}': "49000-100x60 43000x400",
            'facecli_disk_size_bytes{instance="a"}': "100000x500",
        },
        *(20, 35, 400),
    ),
    Case(
        "FacecliDiskFull",
        {
            'facecli_disk_free_bytes{instance="a"}': "10x2 4x10 50x5",
            'facecli_disk_size_bytes{instance="a"}': "100x20",
        },
        *(7, 8, 14),
    ),
    Case(
        "FacecliCertificateExpiring",
        {
            'facecli_certificate_expiry_timestamp_seconds{instance="a", certificate="server"}': (
                f"{14 * _DAY + 600}x15 {90 * _DAY}x5"
            )
        },
        *(10, 11, 16),
    ),
    Case(
        "FacecliTokenExpiring",
        {'facecli_token_next_expiry_timestamp_seconds{instance="a"}': f"{7 * _DAY + 600}x15 {30 * _DAY}x5"},
        *(10, 11, 16),
    ),
    Case(
        "FacecliDatabaseAway",
        {'facecli_database_last_success_timestamp_seconds{instance="a"}': "0+60x5 300x5 660+60x5"},
        *(6, 7, 12),
    ),
    Case(
        "FacecliBackupOld",
        {'facecli_backup_last_success_timestamp_seconds{instance="a"}': f"{600 - 2 * _DAY}x15 900x5"},
        *(10, 11, 16),
    ),
)
