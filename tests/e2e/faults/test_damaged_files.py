"""Files damaged on the server's disk: no task uses them, and their owner is not blamed."""

from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import check_completed_once, create, watch

pytestmark = pytest.mark.slow

SLOWLY = ("--option", "delay=6")
SEGMENTS = {"FACECLI_SEGMENT_MEGAPIXELS": "50"}


def flip(path: Path, *, at: float) -> None:
    """Flip the bits of some bytes at this share of the file."""
    with path.open("r+b") as file:
        offset = int(path.stat().st_size * at)
        file.seek(offset)
        damaged = bytes(byte ^ 0xFF for byte in file.read(40))
        file.seek(offset)
        file.write(damaged)


def stored(server: Server, url: str) -> Path:
    return server.data / "uploads" / url.split("/")[2] / "data"


def test_no_task_uses_an_input_damaged_since_its_creation(serve: Serve, face: Path, clip: Path) -> None:
    """Each task has a user of its own, so that no two share a stored file."""
    server = serve(options=["--workers", "0"])
    tasks = {}
    for user, (victim, at) in enumerate(product(("image", "video"), (0.02, 0.5, 0.97))):
        to = ("--server", server.address, "--user", f"user-{user}", "--json")
        image, video = (upload["file_url"] for upload in invoke("upload", face, clip, *to).objects)
        task = invoke("task", "create", "--image", image, "--video", video, *to).object
        flip(stored(server, {"image": image, "video": video}[victim]), at=at)
        tasks[to] = task["task_id"]
    server.terminate()
    server.start("--workers", "1")
    for to, task_id in tasks.items():
        failed = invoke("task", "watch", task_id, *to, expect=3).objects[-1]
        assert (failed["status"], failed["error"]["reason"]) == ("failed", "STORAGE_FAILED")
        assert "damaged on the server's disk" in failed["error"]["message"]
    assert server.results() == []
    server.terminate()
    invoke("fsck", "--repair", "--data-dir", server.data)
    server.start("--workers", "1")
    for to, task_id in tasks.items():
        invoke("upload", face, clip, *to)
        invoke("task", "retry", task_id, *to)
    for to, task_id in tasks.items():
        assert invoke("task", "watch", task_id, *to).objects[-1]["status"] == "completed"


def test_the_creation_of_a_task_does_not_blame_a_damaged_file_on_its_owner(
    serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(options=["--workers", "0"])
    to = ("--server", server.address, "--json")
    image, video = (upload["file_url"] for upload in invoke("upload", face, clip, *to).objects)
    flip(stored(server, image), at=0.5)
    refused = invoke("task", "create", "--image", image, "--video", video, *to, expect=8).error
    assert refused["reason"] == "STORAGE_FAILED"
    assert f"{face.name} are damaged on the server's disk" in refused["message"]


def test_damage_during_the_run_never_reaches_a_result(serve: Serve, face: Path, long_clip: Path) -> None:
    """Both in a part of the video that is converted before the damage and in one that is converted after."""
    server = serve(environment=SEGMENTS, options=["--workers", "2"])
    files = ("--image", face, "--video", long_clip, "--server", server.address, "--json")
    users = {f"user-{at}": at for at in (0.1, 0.9)}
    tasks = {user: invoke("task", "create", *files, *SLOWLY, "--user", user).object for user in users}
    with ExitStack() as stack:
        running = {
            user: stack.enter_context(watch(server, task["task_id"], "--user", user))
            for user, task in tasks.items()
        }
        for user, watching in running.items():
            watching.wait_for_event(lambda event: event["stage"] == "swapping" and event["progress"] > 10)
            flip(stored(server, tasks[user]["video_url"]), at=users[user])
        for watching in running.values():
            failed = watching.wait().objects[-1]
            assert (failed["status"], failed["error"]["reason"]) == ("failed", "STORAGE_FAILED")
    assert server.results() == []


def test_a_segment_damaged_before_it_is_joined_is_made_again(
    serve: Serve, face: Path, long_clip: Path, tmp_path: Path
) -> None:
    server = serve(environment=SEGMENTS)
    task_id = create(server, face, long_clip, *SLOWLY)
    with watch(server, task_id) as watching:
        watching.wait_for_event(lambda event: event["stage"] == "swapping" and event["progress"] > 40)
        (segment,) = [path for path in server.work_files() if path.name == "000000.mp4"]
        flip(segment, at=0.5)
        result = watching.wait()
    server.wait_for_log("000000.mp4 was damaged on the disk")
    check_completed_once(server, result, task_id, tmp_path / "out.mp4")
