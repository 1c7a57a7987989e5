"""Rows and queue on PostgreSQL: tasks outlive their worker there, and PostgreSQL's own death."""

import os
import signal
from pathlib import Path

from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.e2e.files import PacedFfmpeg
from tests.e2e.server import wait_until_gone
from tests.e2e.test_tasks import check_completed_once, create, watch
from tests.postgres import Postgres


def test_a_task_whose_worker_is_killed_completes(
    serve: Serve, postgresql: str, face: Path, long_clip: Path, paced: PacedFfmpeg, tmp_path: Path
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        (worker,), (encoder,) = server.workers(), server.ffmpegs()
        paced.hurry()
        os.kill(worker, signal.SIGKILL)
        wait_until_gone([encoder])
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert done.objects[-1]["attempt"] == 2
    assert not list(server.data.glob("*.db"))


def test_a_task_and_its_watcher_outlive_a_crash_of_postgresql(
    serve: Serve,
    postgres: Postgres,
    postgresql: str,
    face: Path,
    long_clip: Path,
    paced: PacedFfmpeg,
    tmp_path: Path,
    media: FfmpegMedia,
) -> None:
    server = serve(environment={**paced.environment, "FACECLI_DATABASE": postgresql})
    task_id = create(server, face, long_clip)
    with watch(server, task_id) as watching:
        watching.swapping()
        (worker,) = server.workers()
        postgres.stop()
        server.heard("could not be looked at")
        paced.hurry()
        postgres.start()
        done = watching.done()
    check_completed_once(server, done, task_id, tmp_path / "out.mp4")
    assert media.probe_video(tmp_path / "out.mp4").frames == media.probe_video(long_clip).frames
    # The next task finds everybody well.
    following = create(server, face, long_clip)
    with watch(server, following) as watching:
        assert watching.done().code == 0
    assert server.workers() == [worker]
