"""Checkpoints: a crash costs only the segment in progress, and a retry continues from the finished ones."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.support.e2e.process import CommandProcess, Event, run
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import check_completed_once, create, watch

pytestmark = pytest.mark.slow

# Splits the 750 frames of `long_clip` into three or four segments of a second or two of work each.
ENVIRONMENT = {"FACECLI_SEGMENT_MEGAPIXELS": "50"}
SLOWLY = ("--option", "delay=6")
FIRST_SEGMENT_DONE = 25  # percent; less would mean that the first segment was lost


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, face: Path, long_clip: Path) -> bytes:
    """The result of an undisturbed task."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Server(folder / "data", environment=ENVIRONMENT) as server:
        task_id = create(server, face, long_clip, *SLOWLY)
        run("task", "watch", task_id, "--server", server.address)
        run("task", "download", task_id, "-o", folder / "out.mp4", "--server", server.address)
    return (folder / "out.mp4").read_bytes()


def wait_for_second_segment(watching: CommandProcess) -> None:
    watching.wait_for_event(lambda event: event["stage"] == "swapping" and event["progress"] > 40)


def first_progress(states: list[Event], *, attempt: int) -> int:
    """The progress with which an attempt began to swap."""
    return min(
        int(state["progress"])
        for state in states
        if state["stage"] == "swapping" and state["attempt"] == attempt
    )


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_crash_costs_only_the_segment_in_progress(
    serve: Serve, face: Path, long_clip: Path, tmp_path: Path, undisturbed: bytes, victim: str
) -> None:
    server = serve(environment=ENVIRONMENT)
    task_id = create(server, face, long_clip, *SLOWLY)
    with watch(server, task_id) as watching:
        wait_for_second_segment(watching)
        if victim == "worker":
            server.kill_worker()
        else:
            server.kill()
            server.start()
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert first_progress(result.objects, attempt=2) >= FIRST_SEGMENT_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed


def test_a_retry_of_a_cancelled_task_continues_from_its_finished_segments(
    serve: Serve, face: Path, long_clip: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    server = serve(environment=ENVIRONMENT)
    task_id = create(server, face, long_clip, *SLOWLY)
    with watch(server, task_id) as watching:
        wait_for_second_segment(watching)
        assert server.cancel(task_id) == "cancelled"
        server.wait_for_log(f"run stopped task={task_id}")
    assert {"000000.mp4", "plan.json"} <= {path.name for path in server.work_files() if path.is_file()}
    assert not [path for path in server.work_files() if path.name.startswith("run-")]
    run("task", "retry", task_id, "--server", server.address)
    with watch(server, task_id) as watching:
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert first_progress(result.objects, attempt=1) >= FIRST_SEGMENT_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed
