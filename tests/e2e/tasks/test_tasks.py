"""Tasks survive the death of whatever runs them; a cancelled one leaves nothing."""

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
from tests.support.e2e.process import Done, Event, Running, run
from tests.support.e2e.server import Server, parent, wait_until_gone
from tests.support.e2e.strace import until

GONE_WITHIN = 5.0  # seconds from the answer to cancel; it takes about 0.3


def create(server: Server, face: Path, video: Path, *options: object) -> str:
    """The id of a new task."""
    files = ("--image", face, "--video", video)
    return run("task", "create", *files, "--server", server.address, "-q", *options).out.strip()


def watch(server: Server, task_id: str) -> Running:
    return Running("task", "watch", task_id, "--server", server.address, "--json")


def status(server: Server, task_id: str) -> Event:
    return run("task", "status", task_id, "--server", server.address, "--json").object


def check_completed_once(server: Server, done: Done, task_id: str, out: Path) -> None:
    """Completed, with one result, which is what the task says it is, and nothing beside it."""
    ended = [said for said in done.objects if said["status"] == "completed"]
    assert (done.code, len(ended)) == (0, 1)
    run("task", "download", task_id, "-o", out, "--server", server.address)
    (result,) = server.results()
    assert result.read_bytes() == out.read_bytes()
    assert len(out.read_bytes()) == ended[0]["result_size"]
    until(lambda: not server.leftovers())  # its worker clears its work away when the row has said so
    revisions = [said["revision"] for said in done.objects]
    assert revisions == sorted(set(revisions))
    told = [(said["attempt"], said["frames_done"]) for said in done.objects]
    assert told == sorted(told)  # attempts rise, and within one of them frames do
    assert ended[0]["frames_done"] == ended[0]["frames"] > 0


def test_a_task_whose_worker_is_killed_begins_another_attempt_and_completes(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path, media: FfmpegMedia
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        assert watching.swapping()["attempt"] == 1
        (worker,), (encoder,) = server.workers(), server.ffmpegs()
        paced.hurry()
        os.kill(worker, signal.SIGKILL)
        wait_until_gone([encoder])
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert {said["attempt"] for said in done.objects} >= {1, 2}
    assert done.objects[-1]["attempt"] == 2
    assert media.probe_video(tmp_path / "out.mp4").frames == media.probe_video(long_clip).frames
    (new,) = server.workers()
    assert new != worker


def test_a_task_whose_ffmpeg_is_killed_begins_another_attempt_and_completes(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        (encoder,) = server.ffmpegs()
        paced.hurry()
        os.kill(encoder, signal.SIGKILL)
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert done.objects[-1]["attempt"] == 2


@pytest.mark.parametrize("end", [Server.terminate, Server.kill], ids=["SIGTERM", "kill -9"])
def test_a_task_completes_after_the_whole_server_ended_in_its_middle_and_was_started_again(
    serve: Serve,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
    end: Callable[[Server], object],
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        assert len(server.ffmpegs()) == 1
        descendants = server.descendants()
        paced.hurry()
        end(server)
        wait_until_gone(descendants)
        server.start()
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert done.objects[-1]["attempt"] == 2


def test_a_task_that_waited_while_the_server_was_killed_runs_after_the_next_start(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve()
    first = create(server, face, clip, "--option", "delay=600")
    with watch(server, first) as watching:
        watching.event(lambda said: said["status"] == "processing")
    second = create(server, face, clip)
    assert status(server, second)["status"] == "pending"
    server.kill()
    server.start()
    run("task", "cancel", first, "--server", server.address)
    with watch(server, second) as watching:
        assert watching.done().code == 0


def test_the_tasks_of_two_workers_complete_after_the_server_was_started_again_with_one(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment, options=["--workers", "2"])
    ids = [create(server, face, long_clip) for _ in range(2)]
    with watch(server, ids[0]) as one, watch(server, ids[1]) as other:
        one.swapping()
        other.swapping()
        descendants = server.descendants()
        paced.hurry()
        server.kill()
        wait_until_gone(descendants)
        server.start("--workers", "1")
        assert [one.done().code, other.done().code] == [0, 0]
    assert len(server.results()) == 2


def test_a_task_that_was_cancelled_while_its_worker_was_dead_leaves_nothing(
    serve: Serve, face: Path, clip: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        descendants = server.descendants()
        server.kill()
    wait_until_gone(descendants)
    assert any(path.is_file() for path in server.leftovers())
    server.start("--workers", "0")
    run("task", "cancel", task_id, "--server", server.address)
    server.terminate()
    paced.hurry()
    server.start()
    # Tasks run one after the other: when the next one has ended, this one has been seen.
    with watch(server, create(server, face, clip)) as watching:
        assert watching.done().code == 0
    assert server.leftovers() == []
    assert status(server, task_id)["status"] == "cancelled"


def test_watching_an_ended_task_returns_with_the_code_of_its_outcome(
    server: Server, face: Path, clip: Path
) -> None:
    completed = create(server, face, clip)
    failed = create(server, face, clip, "--option", "fail_at=0")
    cancelled = create(server, face, clip, "--option", "delay=600")
    run("task", "cancel", cancelled, "--server", server.address)
    run("task", "watch", completed, failed, "--server", server.address, expect=3)
    for task_id, outcome, code in (
        (completed, "completed", 0),
        (failed, "failed", 3),
        (cancelled, "cancelled", 3),
    ):
        done = run("task", "watch", task_id, "--server", server.address, "--json", expect=code)
        assert done.object["status"] == outcome


def test_a_watch_that_is_given_a_time_limit_ends_with_124_and_the_task_goes_on(
    server: Server, face: Path, clip: Path
) -> None:
    task_id = create(server, face, clip, "--option", "delay=600")
    done = run("task", "watch", task_id, "--timeout", "0.2", "--server", server.address, "--json", expect=124)
    assert done.error["reason"] == "TIMED_OUT"
    assert status(server, task_id)["status"] in {"pending", "processing"}
    run("task", "cancel", task_id, "--server", server.address)


def test_a_cancelled_task_is_so_at_once_and_its_ffmpeg_ends_and_leaves_nothing(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        (encoder,) = server.ffmpegs()
        assert server.leftovers()
        assert server.cancel(task_id) == "cancelled"
        answered = time.monotonic()
        wait_until_gone([encoder])
        seconds = time.monotonic() - answered
        assert watching.done().code == 3
    sys.stderr.write(f"ffmpeg was gone {seconds:.2f} s after the task was cancelled\n")
    assert seconds < GONE_WITHIN
    # One worker, one task at a time: when the next one has ended, the first has been cleared away.
    paced.hurry()
    following = create(server, face, long_clip)
    with watch(server, following) as watching:
        check_completed_once(server, watching.done(), following, server.data.with_name("out.mp4"))
    assert status(server, task_id)["status"] == "cancelled"


def test_tasks_on_two_workers_run_side_by_side_and_one_death_leaves_the_other_alone(
    serve: Serve, face: Path, long_clip: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment, options=["--workers", "2"])
    ids = [create(server, face, long_clip) for _ in range(2)]
    with watch(server, ids[0]) as one, watch(server, ids[1]) as other:
        one.swapping()
        other.swapping()
        assert len(server.ffmpegs()) == 2
        victim = server.workers()[0]
        (doomed,) = [pid for pid in server.ffmpegs() if parent(pid) == victim]
        (untouched,) = [pid for pid in server.ffmpegs() if pid != doomed]
        os.kill(victim, signal.SIGKILL)
        wait_until_gone([doomed])
        assert untouched in server.ffmpegs()
        run("task", "cancel", *ids, "--server", server.address)
        ended = [watching.done().objects for watching in (one, other)]
    assert sorted(any(said["status"] == "pending" for said in told[1:]) for told in ended) == [False, True]
