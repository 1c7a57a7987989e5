"""Checkpoints: a crash costs only the segment in progress, and a retry continues from the finished ones."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.process import CommandProcess, Event, invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import check_completed_once, create, watch

pytestmark = pytest.mark.slow

# Splits the 750 frames of `long_clip` into three or four segments.
ENVIRONMENT = {"FACECLI_SEGMENT_MEGAPIXELS": "50"}
SECOND_SEGMENT = 35  # percent; the first segment ends before
FIRST_SEGMENT_DONE = 25  # percent; less would mean that the first segment was lost


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, face: Path, long_clip: Path) -> bytes:
    """The result of an undisturbed task."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Server(folder / "data", environment=ENVIRONMENT) as server:
        task_id = create(server, face, long_clip)
        invoke("task", "watch", task_id, "--server", server.address)
        invoke("task", "download", task_id, "-o", folder / "out.mp4", "--server", server.address)
    return (folder / "out.mp4").read_bytes()


@pytest.fixture
def server(serve: Serve, paced: PacedFfmpeg) -> Server:
    """A server that takes much longer for the second segment than for the first."""
    paced.slow_down_after_first_segment()
    return serve(environment={**ENVIRONMENT, **paced.environment})


def wait_for_second_segment(watching: CommandProcess) -> None:
    watching.wait_for_event(lambda event: event["stage"] == "swapping" and event["progress"] > SECOND_SEGMENT)


def first_progress(states: list[Event], *, attempt: int) -> int:
    """The progress with which an attempt began to swap."""
    return min(
        int(state["progress"])
        for state in states
        if state["stage"] == "swapping" and state["attempt"] == attempt
    )


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_crash_costs_only_the_segment_in_progress(
    server: Server,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
    undisturbed: bytes,
    victim: str,
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        wait_for_second_segment(watching)
        if victim == "worker":
            server.kill_worker()
        else:
            server.kill()
            server.start()
        # A watch shows only the newest state, so a quick second attempt may go unseen.
        watching.wait_until_swapping(attempt=2)
        paced.speed_up()
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert first_progress(result.objects, attempt=2) >= FIRST_SEGMENT_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed


def test_a_retry_of_a_cancelled_task_continues_from_its_finished_segments(
    server: Server, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path, undisturbed: bytes
) -> None:
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        wait_for_second_segment(watching)
        paced.speed_up()
        assert server.cancel(task_id) == "cancelled"
        server.wait_for_log(f"run stopped task={task_id}")
    assert {"000000.mp4", "plan.json"} <= {path.name for path in server.work_files() if path.is_file()}
    assert not [path for path in server.work_files() if path.name.startswith("run-")]
    invoke("task", "retry", task_id, "--server", server.address)
    with watch(server, task_id) as watching:
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert first_progress(result.objects, attempt=1) >= FIRST_SEGMENT_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed
