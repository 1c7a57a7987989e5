"""A death costs a task the segment that was being swapped; a retry goes on from those that were finished."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.test_tasks import check_completed_once, create, watch
from tests.support.e2e.process import Event, Running, run
from tests.support.e2e.server import Server

# Of the 750 frames of `long_clip` in three or four segments, each of which takes a second or two.
ENVIRONMENT = {"FACECLI_SEGMENT_MEGAPIXELS": "50"}
SLOWLY = ("--option", "delay=6")
FIRST_DONE = 25  # percent; less would mean that the first segment was not kept


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, face: Path, long_clip: Path) -> bytes:
    """The result of a task that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Server(folder / "data", environment=ENVIRONMENT) as server:
        task_id = create(server, face, long_clip, *SLOWLY)
        run("task", "watch", task_id, "--server", server.address)
        run("task", "download", task_id, "-o", folder / "out.mp4", "--server", server.address)
    return (folder / "out.mp4").read_bytes()


def in_the_second_segment(watching: Running) -> None:
    watching.event(lambda said: said["stage"] == "swapping" and said["progress"] > 40)


def first_swapping(said: list[Event], *, attempt: int) -> int:
    """The progress that an attempt began with."""
    return min(int(s["progress"]) for s in said if s["stage"] == "swapping" and s["attempt"] == attempt)


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_after_a_death_only_the_segment_that_was_being_swapped_is_swapped_again(
    serve: Serve, face: Path, long_clip: Path, tmp_path: Path, undisturbed: bytes, victim: str
) -> None:
    server = serve(environment=ENVIRONMENT)
    task_id = create(server, face, long_clip, *SLOWLY)
    with watch(server, task_id) as watching:
        in_the_second_segment(watching)
        if victim == "worker":
            server.kill_worker()
        else:
            server.kill()
            server.start()
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert first_swapping(done.objects, attempt=2) >= FIRST_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed


def test_a_retry_of_a_cancelled_task_goes_on_from_its_finished_segments(
    serve: Serve, face: Path, long_clip: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    server = serve(environment=ENVIRONMENT)
    task_id = create(server, face, long_clip, *SLOWLY)
    with watch(server, task_id) as watching:
        in_the_second_segment(watching)
        assert server.cancel(task_id) == "cancelled"
        server.heard(f"run stopped task={task_id}")
    assert {"000000.mp4", "plan.json"} <= {path.name for path in server.leftovers() if path.is_file()}
    assert not [path for path in server.leftovers() if path.name.startswith("run-")]
    run("task", "retry", task_id, "--server", server.address)
    with watch(server, task_id) as watching:
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert first_swapping(done.objects, attempt=1) >= FIRST_DONE
    assert (tmp_path / "out.mp4").read_bytes() == undisturbed
