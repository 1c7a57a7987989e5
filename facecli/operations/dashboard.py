"""The dashboard for Grafana: rows of panels, each with the queries of its lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WIDTH = 24  # columns of a dashboard
HEIGHT = 8  # rows of a panel
PER_ROW = 3  # panels side by side
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph: a title, the unit of its values, and queries by the legend of their lines."""

    title: str
    unit: str  # as Grafana names it
    queries: dict[str, str]


def _quantile(share: float, metric: str, *by: str) -> str:
    labels = ", ".join(["le", *by])
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def _rate(metric: str, *by: str) -> str:
    grouping = f" by ({', '.join(by)})" if by else ""
    return f"sum{grouping} (rate({metric}[$__rate_interval]))"


def _until(metric: str) -> str:
    return f"{metric} - time()"


def _since(metric: str) -> str:
    return f"time() - {metric}"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Service": (
        Panel(
            "Servers and workers",
            "short",
            {
                "ready {{instance}}": "facecli_ready",
                "workers {{instance}}": "facecli_worker_processes",
                "workers wanted {{instance}}": "facecli_worker_processes_wanted",
                "leases": "max (facecli_worker_leases)",
            },
        ),
        Panel("Calls by status", "reqps", {"{{code}}": _rate("facecli_rpc_calls_total", "code")}),
        Panel(
            "Duration of calls, 95 %",
            "s",
            {"{{method}}": _quantile(0.95, "facecli_rpc_duration_seconds", "method")},
        ),
        Panel("Refusals by reason", "reqps", {"{{reason}}": _rate("facecli_refusals_total", "reason")}),
        Panel(
            "HTTP requests",
            "reqps",
            {"{{route}} {{code}}": _rate("facecli_http_requests_total", "route", "code")},
        ),
        Panel(
            "Duration of HTTP requests, 95 %",
            "s",
            {"{{route}}": _quantile(0.95, "facecli_http_request_duration_seconds", "route")},
        ),
        Panel(
            "Slots in use",
            "percentunit",
            {"{{kind}} {{instance}}": "facecli_slots_in_use / facecli_slots_limit"},
        ),
        Panel(
            "Versions",
            "short",
            {"{{version}}, Python {{python}}": "count by (version, python) (facecli_build_info)"},
        ),
    ),
    "Transfers": (
        Panel(
            "Bytes per second",
            "Bps",
            {
                "received": _rate("facecli_upload_received_bytes_total"),
                "stored": _rate("facecli_upload_stored_bytes_total"),
                "sent twice": _rate("facecli_upload_retransmitted_bytes_total"),
                "downloaded": _rate("facecli_download_sent_bytes_total"),
            },
        ),
        Panel(
            "Time to acknowledgement",
            "s",
            {
                f"{share:.0%}": _quantile(share, "facecli_upload_acknowledgement_seconds")
                for share in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Stages of a chunk, 95 %",
            "s",
            {"{{stage}}": _quantile(0.95, "facecli_upload_stage_seconds", "stage")},
        ),
        Panel(
            "Uploads",
            "ops",
            {
                "created": _rate("facecli_uploads_created_total"),
                "resumed": _rate("facecli_uploads_resumed_total"),
                "completed": _rate("facecli_uploads_completed_total"),
                "deleted, {{cause}}": _rate("facecli_uploads_deleted_total", "cause"),
            },
        ),
        Panel("Incomplete uploads", "short", {"incomplete": "max (facecli_uploads_incomplete)"}),
    ),
    "Tasks": (
        Panel("Waiting", "short", {"{{engine}}": "max by (engine) (facecli_queue_depth)"}),
        Panel("Oldest waiting", "s", {"{{engine}}": "max by (engine) (facecli_queue_age_seconds)"}),
        Panel("Running", "short", {"{{engine}}": "max by (engine) (facecli_tasks_running)"}),
        Panel(
            "Tasks per second",
            "ops",
            {
                "created {{engine}}": _rate("facecli_tasks_created_total", "engine"),
                "{{status}} {{engine}}": _rate("facecli_tasks_ended_total", "status", "engine"),
            },
        ),
        Panel("Frames per second", "ops", {"{{engine}}": _rate("facecli_frames_swapped_total", "engine")}),
        Panel("Failures by reason", "ops", {"{{reason}}": _rate("facecli_task_failures_total", "reason")}),
        Panel(
            "Attempts and crashes",
            "ops",
            {
                "attempts {{engine}}": _rate("facecli_task_attempts_total", "engine"),
                "crashes {{engine}}": _rate("facecli_task_crashes_total", "engine"),
                "requeued {{engine}}": _rate("facecli_task_requeues_total", "engine"),
                "worker exits": _rate("facecli_worker_exits_total"),
                "leases expired": _rate("facecli_worker_leases_expired_total"),
            },
        ),
    ),
    "Machine": (
        Panel(
            "Disk",
            "bytes",
            {
                "free {{instance}}": "facecli_disk_free_bytes",
                "size {{instance}}": "facecli_disk_size_bytes",
                "stored {{kind}}": "max by (kind) (facecli_kept_bytes)",
            },
        ),
        Panel(
            "Database",
            "s",
            {
                "query {{instance}}": "facecli_database_query_seconds",
                "since the last answer {{instance}}": _since(
                    "facecli_database_last_success_timestamp_seconds"
                ),
            },
        ),
        Panel(
            "Expiry and backup",
            "s",
            {
                "certificate {{certificate}}": _until("facecli_certificate_expiry_timestamp_seconds"),
                "next token": _until("facecli_token_next_expiry_timestamp_seconds"),
                "since the last backup": _since("facecli_backup_last_success_timestamp_seconds"),
            },
        ),
        Panel(
            "Processors of the server",
            "short",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job=~"facecli.*"}[$__rate_interval])'},
        ),
        Panel(
            "Memory of the server",
            "bytes",
            {"{{instance}}": 'process_resident_memory_bytes{job=~"facecli.*"}'},
        ),
        Panel("Open files of the server", "short", {"{{instance}}": 'process_open_fds{job=~"facecli.*"}'}),
    ),
}


def dashboard() -> str:
    """The dashboard as JSON, to be imported into Grafana 9 or newer."""
    model = {
        "title": "facecli",
        "uid": "facecli",
        "tags": ["facecli"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": list(_panels()),
    }
    return json.dumps(model, indent=2)


def _panels() -> Iterator[dict[str, Any]]:
    """Rows and panels, in a grid."""
    at, identity = 0, 0
    for title, panels in ROWS.items():
        identity += 1
        yield {
            "id": identity,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": at, "w": WIDTH, "h": 1},
            "panels": [],
        }
        at += 1
        for index, panel in enumerate(panels):
            identity += 1
            place = {"x": index % PER_ROW * (WIDTH // PER_ROW), "y": at + index // PER_ROW * HEIGHT}
            yield {
                "id": identity,
                "type": "timeseries",
                "title": panel.title,
                "datasource": DATASOURCE,
                "gridPos": {**place, "w": WIDTH // PER_ROW, "h": HEIGHT},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [
                    {
                        "refId": chr(ord("A") + number),
                        "datasource": DATASOURCE,
                        "expr": query,
                        "legendFormat": legend,
                    }
                    for number, (legend, query) in enumerate(panel.queries.items())
                ],
            }
        at += -(-len(panels) // PER_ROW) * HEIGHT
