"""Metrics of `facecli serve` with its workers, and of a worker that runs by itself."""

import re
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server
from tests.support.monitoring.page import Page, fetched_when

METRICS = ("--metrics", "127.0.0.1:0")


def swapped_frames(server: Server, face: Path, clip: Path, folder: Path) -> int:
    """Run a task to its end; the number of its frames."""
    to = ("--server", server.address)
    run("swap", face, clip, "-o", folder / "out.mp4", *to)
    frames: int = run("task", "list", *to, "--json").object["frames"]
    assert frames > 0
    return frames


def after_the_task(url: str) -> Page:
    """The page that counts the end of a task."""
    return fetched_when(url, lambda page: page.value("facecli_tasks_ended_total", status="completed"))


def check_task(page: Page, frames: int) -> None:
    assert page.value("facecli_frames_swapped_total", engine="mock") == frames
    assert page.value("facecli_task_attempts_total", engine="mock") == 1
    assert page.value("facecli_task_failures_total") == 0


def test_the_page_of_a_server_has_the_tasks_and_the_ends_of_its_workers(
    serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    server = serve(options=METRICS)
    server.wait_for_log("/metrics\n")
    (url,) = re.findall(r"^  metrics +(http\S+)$", server.log, re.MULTILINE)
    frames = swapped_frames(server, face, clip, tmp_path)
    page = after_the_task(url)
    check_task(page, frames)
    assert page.value("facecli_tasks_created_total", engine="mock") == 1
    assert page.value("facecli_worker_processes") == page.value("facecli_worker_processes_wanted") == 1
    assert "metrics served" not in server.log, "a worker of a server listens nowhere"
    server.kill_worker()
    fetched_when(url, lambda page: page.value("facecli_worker_exits_total") == 1)


def test_a_worker_that_runs_by_itself_has_a_page_of_its_own(
    serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    server = serve(options=["--workers", "0"])
    json_log = {"FACECLI_LOG_FORMAT": "json"}
    with CommandProcess("worker", "--data-dir", server.data, *METRICS, environment=json_log) as worker:
        served = worker.wait_for_event(lambda event: event.get("message") == "metrics served")
        frames = swapped_frames(server, face, clip, tmp_path)
        check_task(after_the_task(served["url"]), frames)
        worker.terminate()
        assert worker.wait().code == 0
