"""`facecli batch run`: kills of the server and of the command, and many jobs in bounded memory.

BATCH_JOBS is the number of jobs whose memory is measured; 1000 takes minutes.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.support.cli import facecli
from tests.support.e2e.proc import peak_memory_bytes
from tests.support.e2e.process import CommandProcess
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.support.tasks.stand_in_worker import StandInWorker

CLIPS, FACES = 12, 3
BROKEN = "clip-07"
JOBS = int(os.environ.get("BATCH_JOBS", "40"))
MAX_MEMORY = 200_000_000  # bytes, of a client or a server, whatever the number of jobs


@pytest.fixture
def stopped_workers(serve: Serve, tmp_path: Path) -> Iterator[tuple[Server, StandInWorker]]:
    server = serve(options=["--workers", "0"])
    with StandInWorker(tmp_path / "data") as worker:
        yield server, worker


def make_files(folder: Path, media: FfmpegMedia, *, clips: int, faces: int) -> None:
    """Clips and faces that differ in a few bytes."""
    folder.mkdir()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=64, height=48)
    face, clip = ((folder / name).read_bytes() for name in ("face.png", "clip.mp4"))
    for number in range(faces):
        (folder / f"face-{number:02}.png").write_bytes(face + bytes([number]))
    for number in range(clips):
        box = b"\0\0\0\x10free" + number.to_bytes(8, "big")  # which players skip
        (folder / f"clip-{number:02}.mp4").write_bytes(clip + box)
    (folder / "face.png").unlink()
    (folder / "clip.mp4").unlink()


def test_a_batch_goes_on_after_kills_of_the_server_and_of_itself_and_does_nothing_twice(
    stopped_workers: tuple[Server, StandInWorker], user: str, media: FfmpegMedia, tmp_path: Path
) -> None:
    server, worker = stopped_workers
    make_files(tmp_path / "in", media, clips=CLIPS, faces=FACES)
    broken = tmp_path / "in" / f"{BROKEN}.mp4"
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    jobs, out = tmp_path / "jobs.toml", tmp_path / "out"
    jobs.write_text(
        "\n".join(
            f'[[job]]\nface = "in/face-{face:02}.png"\nvideo = "in/clip-{clip:02}.mp4"'
            for clip in range(CLIPS)
            for face in range(FACES)
        )
    )
    command = ("batch", "run", jobs, "--output-dir", out, "--in-flight", 5)
    options = ("--user", user, "--server", server.address, "--json", "--progress", "none")
    with CommandProcess(*command, *options) as batch:
        worker.complete(9)
        eventually(lambda: len(list(out.glob("*.mp4"))) > 5)
        batch.kill()
    with CommandProcess(*command, *options) as batch:
        worker.complete(9)
        worker.wait_for_pending(3)
        server.kill()
        worker.complete(3)  # the ends of running tasks, which the command has to find out
        server.start()
        worker.complete(FACES * (CLIPS - 1) - 21)
        done = batch.wait()
    assert done.code == 3
    assert done.error["message"] == "3 of 36 jobs failed"
    (summary,) = (each["summary"] for each in done.objects if "summary" in each)
    assert (summary["done"] + summary["skipped"], summary["failed"], summary["not_run"]) == (33, 3, 0)
    reports = [each for each in done.objects if "path" in each]
    assert Counter(each["job"] for each in reports) == dict.fromkeys(range(1, CLIPS * FACES + 1), 1)
    failed = [each for each in reports if each["status"] == "failed"]
    assert {Path(each["video"]).stem for each in failed} == {BROKEN}
    assert all("damaged" in each["error"]["message"] for each in failed)
    results = {path.name: path.read_bytes() for path in out.iterdir()}
    assert results == {
        f"clip-{clip:02}-face-{face:02}.mp4": (tmp_path / "in" / f"clip-{clip:02}.mp4").read_bytes()
        for clip in range(CLIPS)
        for face in range(FACES)
        if f"clip-{clip:02}" != BROKEN
    }
    assert len(worker.tasks()) == 33
    assert len(server.uploads(user)) == CLIPS + FACES
    again = facecli(*command, *options)
    assert Counter(each.get("status") for each in again.objects) == {"skipped": 33, "failed": 3, None: 1}
    assert len(worker.tasks()) == 33


def test_the_memory_of_many_jobs_is_bounded(
    stopped_workers: tuple[Server, StandInWorker], user: str, media: FfmpegMedia, tmp_path: Path
) -> None:
    server, worker = stopped_workers
    make_files(tmp_path / "in", media, clips=10, faces=JOBS // 10)
    out = tmp_path / "out"
    files = ("--face", tmp_path / "in", "--video", tmp_path / "in", "-o", f"{out}/{{number}}.mp4")
    options = ("--user", user, "--server", server.address, "--json", "--progress", "none")
    with CommandProcess("swap", *files, *options, "--in-flight", 32) as batch:
        worker.complete(JOBS - 1)
        batch.wait_for_line("out", number=JOBS - 1)
        peaks = {"client": peak_memory_bytes(batch.pid), "server": server.peak_memory()}
        worker.complete(1)
        done = batch.wait()
    sys.stderr.write(f"peak memory of {JOBS} jobs: {peaks}\n")
    assert (done.code, done.objects[-1]["summary"]["done"]) == (0, JOBS)
    assert max(peaks.values()) < MAX_MEMORY, peaks
