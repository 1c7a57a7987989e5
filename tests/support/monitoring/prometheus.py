"""A real Prometheus and a real Alertmanager, which report alerts to the test."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from facecli.operations.alerts import alerts
from tests.support.sockets import free_port

SCRAPE_SECONDS = 2
_WINDOW = re.compile(r"\[(\d+)([mh])\]|(?<=for: )(\d+)([mh])|(?<=facecli_queue_age_seconds\) > )(\d+)")
_SECONDS = {"m": 60, "h": 3600}


def hastened(rules: str, factor: int) -> str:
    """The alerts with windows and waits that are shorter by a factor, and so is the age of a waiting task."""

    def shorter(match: "re.Match[str]") -> str:
        window, unit, wait, wait_unit, age = match.groups()
        if age:
            return str(int(age) // factor)
        seconds = int(window or wait) * _SECONDS[unit or wait_unit] // factor
        return f"[{seconds}s]" if window else f"{seconds}s"

    return _WINDOW.sub(shorter, rules)


@dataclass(frozen=True)
class Notification:
    """An alert that Alertmanager has sent."""

    alert: str
    firing: bool
    at: float
    annotations: Mapping[str, str]


class Monitoring:
    """Waits for notifications, and asks Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._received: list[Notification] = []
        self._changed = threading.Condition()

    def receive(self, body: Any) -> None:
        """Take what Alertmanager sends to a webhook."""
        with self._changed:
            for each in body["alerts"]:
                self._received.append(
                    Notification(
                        alert=each["labels"]["alertname"],
                        firing=each["status"] == "firing",
                        at=time.monotonic(),
                        annotations=each["annotations"],
                    )
                )
            self._changed.notify_all()

    def wait(self, alert: str, *, firing: bool, since: float, within: float) -> Notification:
        """The first such notification since a time of the monotonic clock."""

        def found() -> Notification | None:
            wanted = (alert, firing)
            fits = (n for n in self._received if (n.alert, n.firing) == wanted and n.at > since)
            return next(fits, None)

        with self._changed:
            self._changed.wait_for(found, within)
            notification = found()
        assert notification, f"{alert} was not {'firing' if firing else 'resolved'} within {within:.0f} s"
        return notification

    def query(self, expression: str) -> list[Any]:
        """The samples of an expression now."""
        return self._result(f"query?query={quote(expression)}")

    def query_range(self, expression: str, *, since: float) -> list[Any]:
        """The series of an expression from a time until now."""
        now = time.time()
        step = max(SCRAPE_SECONDS, int((now - since) / 300))
        return self._result(f"query_range?query={quote(expression)}&start={since}&end={now}&step={step}")

    def _result(self, path: str) -> list[Any]:
        with urlopen(f"{self._url}/api/v1/{path}", timeout=30) as response:
            result: list[Any] = json.load(response)["data"]["result"]
        return result


@contextmanager
def monitoring(folder: Path, jobs: Mapping[str, list[str]], *, factor: int) -> Iterator[Monitoring]:
    """Monitor the addresses of these jobs with alerts that are hastened by a factor."""
    prometheus, alertmanager = (f"127.0.0.1:{free_port()}" for _ in range(2))
    found = Monitoring(f"http://{prometheus}")
    with ExitStack() as stack:
        webhook = stack.enter_context(_webhook(found.receive))
        (folder / "alerts.yml").write_text(hastened(alerts(), factor))
        _write(
            folder / "prometheus.json",
            {
                "global": {
                    "scrape_interval": f"{SCRAPE_SECONDS}s",
                    "evaluation_interval": f"{SCRAPE_SECONDS}s",
                },
                "rule_files": [str(folder / "alerts.yml")],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
                "scrape_configs": [
                    {"job_name": job, "static_configs": [{"targets": targets}]}
                    for job, targets in jobs.items()
                ],
            },
        )
        at_once = {"group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "receiver": "test"}
        _write(
            folder / "alertmanager.json",
            {
                "route": at_once,
                "receivers": [{"name": "test", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
            },
        )
        _started(
            stack,
            folder / "alertmanager.log",
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.json",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        )
        _started(
            stack,
            folder / "prometheus.log",
            "prometheus",
            f"--config.file={folder}/prometheus.json",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address={prometheus}",
        )
        yield found


def _write(file: Path, content: Any) -> None:
    """JSON is YAML, too."""
    file.write_text(json.dumps(content))


def _started(stack: ExitStack, log: Path, *command: str) -> None:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stack.enter_context(log.open("w")), stderr=subprocess.STDOUT
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


@contextmanager
def _webhook(receive: Callable[[Any], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receive(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Log no request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
