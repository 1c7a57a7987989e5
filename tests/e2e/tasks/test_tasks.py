"""Tasks survive a crash of their worker, ffmpeg or server; a cancelled task leaves no files."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.proc import parent, wait_until_gone
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import check_completed_once, create, status, swapping, watch
from tests.support.eventually import eventually

GONE_WITHIN = 5.0  # seconds after the response to cancel; it takes about 0.3


def test_a_task_whose_worker_is_killed_completes_in_another_attempt(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path, media: FfmpegMedia
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        assert watching.wait_until_swapping()["attempt"] == 1
        (worker,), (encoder,) = server.workers(), server.ffmpegs()
        paced.speed_up()
        os.kill(worker, signal.SIGKILL)
        wait_until_gone([encoder])
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert {state["attempt"] for state in result.objects} >= {1, 2}
    assert result.objects[-1]["attempt"] == 2
    assert media.probe_video(tmp_path / "out.mp4").frames == media.probe_video(long_clip).frames
    (new,) = server.workers()
    assert new != worker


def test_a_task_whose_ffmpeg_is_killed_completes_in_another_attempt(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment=paced.environment)
    with swapping(server, face, long_clip) as (task_id, watching):
        (encoder,) = server.ffmpegs()
        paced.speed_up()
        os.kill(encoder, signal.SIGKILL)
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert result.objects[-1]["attempt"] == 2


@pytest.mark.parametrize("end", [Server.terminate, Server.kill], ids=["SIGTERM", "kill -9"])
def test_a_running_task_completes_after_a_restart_of_the_server(
    serve: Serve,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
    end: Callable[[Server], object],
) -> None:
    server = serve(environment=paced.environment)
    with swapping(server, face, long_clip) as (task_id, watching):
        assert len(server.ffmpegs()) == 1
        descendants = server.descendants()
        paced.speed_up()
        end(server)
        wait_until_gone(descendants)
        server.start()
        result = watching.wait()
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
    assert result.objects[-1]["attempt"] == 2


def test_a_pending_task_runs_after_the_server_was_killed_and_started_again(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve()
    first = create(server, face, clip, "--option", "delay=600")
    with watch(server, first) as watching:
        watching.wait_for_event(lambda event: event["status"] == "processing")
    second = create(server, face, clip)
    assert status(server, second)["status"] == "pending"
    server.kill()
    server.start()
    invoke("task", "cancel", first, "--server", server.address)
    with watch(server, second) as watching:
        assert watching.wait().code == 0


def test_tasks_of_two_workers_complete_after_a_restart_with_one_worker(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment, options=["--workers", "2"])
    ids = [create(server, face, long_clip) for _ in range(2)]
    with watch(server, ids[0]) as one, watch(server, ids[1]) as other:
        one.wait_until_swapping()
        other.wait_until_swapping()
        descendants = server.descendants()
        paced.speed_up()
        server.kill()
        wait_until_gone(descendants)
        server.start("--workers", "1")
        assert [one.wait().code, other.wait().code] == [0, 0]
    assert len(server.results()) == 2


def test_a_task_cancelled_while_its_worker_was_dead_leaves_no_files(
    serve: Serve, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    with swapping(server, face, long_clip) as (task_id, watching):
        descendants = server.descendants()
        server.kill()
    wait_until_gone(descendants)
    assert any(path.is_file() for path in server.work_files())
    server.start("--workers", "0")
    invoke("task", "cancel", task_id, "--server", server.address)
    server.terminate()
    paced.speed_up()
    server.start()
    # Tasks run one after another: when the next one has ended, this one has been cleaned up.
    with watch(server, create(server, face, clip)) as watching:
        assert watching.wait().code == 0
    eventually(lambda: not server.work_files())  # the next one's own files go after its end
    assert status(server, task_id)["status"] == "cancelled"


def test_watching_an_ended_task_exits_with_the_code_of_its_outcome(
    server: Server, face: Path, clip: Path
) -> None:
    completed = create(server, face, clip)
    failed = create(server, face, clip, "--option", "fail_at=0")
    cancelled = create(server, face, clip, "--option", "delay=600")
    invoke("task", "cancel", cancelled, "--server", server.address)
    invoke("task", "watch", completed, failed, "--server", server.address, expect=3)
    for task_id, outcome, code in (
        (completed, "completed", 0),
        (failed, "failed", 3),
        (cancelled, "cancelled", 3),
    ):
        result = invoke("task", "watch", task_id, "--server", server.address, "--json", expect=code)
        assert result.object["status"] == outcome


def test_a_watch_that_times_out_exits_with_124_and_the_task_continues(
    server: Server, face: Path, clip: Path
) -> None:
    task_id = create(server, face, clip, "--option", "delay=600")
    result = invoke(
        "task", "watch", task_id, "--timeout", "0.2", "--server", server.address, "--json", expect=124
    )
    assert result.error["reason"] == "TIMED_OUT"
    assert status(server, task_id)["status"] in {"pending", "processing"}
    invoke("task", "cancel", task_id, "--server", server.address)


def test_a_cancel_takes_effect_at_once_and_ends_the_ffmpeg_of_the_task(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    with swapping(server, face, long_clip) as (task_id, watching):
        (encoder,) = server.ffmpegs()
        assert server.work_files()
        assert server.cancel(task_id) == "cancelled"
        cancelled_at = time.monotonic()
        wait_until_gone([encoder])
        seconds = time.monotonic() - cancelled_at
        assert watching.wait().code == 3
    sys.stderr.write(f"ffmpeg was gone {seconds:.2f} s after the task was cancelled\n")
    assert seconds < GONE_WITHIN
    # One worker runs one task at a time: when the next one has ended, the first has been cleaned up.
    paced.speed_up()
    following = create(server, face, long_clip)
    with watch(server, following) as watching:
        check_completed_once(server, watching.wait(), following, server.data.with_name("out.mp4"))
    assert status(server, task_id)["status"] == "cancelled"


def test_tasks_on_two_workers_run_in_parallel_and_one_crash_leaves_the_other_alone(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment, options=["--workers", "2"])
    ids = [create(server, face, long_clip) for _ in range(2)]
    with watch(server, ids[0]) as one, watch(server, ids[1]) as other:
        one.wait_until_swapping()
        other.wait_until_swapping()
        assert len(server.ffmpegs()) == 2
        victim = server.workers()[0]
        (doomed,) = [pid for pid in server.ffmpegs() if parent(parent(pid)) == victim]
        (untouched,) = [pid for pid in server.ffmpegs() if pid != doomed]
        os.kill(victim, signal.SIGKILL)
        wait_until_gone([doomed])
        eventually(lambda: any(status(server, task_id)["attempt"] == 2 for task_id in ids))
        assert untouched in server.ffmpegs()
        invoke("task", "cancel", *ids, "--server", server.address)
        ends = [watching.wait().objects[-1] for watching in (one, other)]
    assert sorted(end["attempt"] for end in ends) == [1, 2]
