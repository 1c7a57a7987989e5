"""A real swap on a server: its figures, and pictures and videos without a face."""

import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.samples.portraits import FILMED, PHOTO
from tests.e2e.conftest import Serve
from tests.support.cli import Ran, facecli
from tests.support.e2e.files import PacedFfmpeg
from tests.support.e2e.process import invoke, run
from tests.support.e2e.server import Server
from tests.support.e2e.tasks import create, watch_to_end
from tests.support.eventually import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def portraits(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A photo, and a clip of 10 frames of another person."""
    clip = tmp_path_factory.mktemp("portraits") / "clip.mp4"
    still = ("-loop", "1", "-i", FILMED, "-vf", "scale=320:-2,crop=320:240:0:0", "-frames:v", "10")
    subprocess.run([ffmpeg, "-v", "error", *still, "-pix_fmt", "yuv420p", clip], check=True)
    return PHOTO, clip


@pytest.fixture(scope="module")
def wall(ffmpeg: Path, portraits: tuple[Path, Path]) -> Path:
    """A clip of 5 frames without a face."""
    video = portraits[1].with_name("wall.mp4")
    tan = ("-f", "lavfi", "-i", "color=tan:size=160x120", "-frames:v", "5", "-pix_fmt", "yuv420p")
    subprocess.run([ffmpeg, "-v", "error", *tan, video], check=True)
    return video


def swap(server: Server, *arguments: object) -> Ran:
    return facecli("swap", *arguments, "--engine", "mesh", "--server", server.address)


def test_a_swap_says_in_every_form_how_many_frames_were_swapped(
    server: Server, portraits: tuple[Path, Path], media: FfmpegMedia, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    shown = swap(server, *portraits, "-o", out)
    assert shown.code == 0, shown.err
    assert "swapped 10 of 10 frames" in shown.err
    assert media.probe_video(out).frames == 10
    task = swap(server, *portraits, "-o", out, "--json").object
    assert task["figures"] == {"swapped": 10, "without_face": 0, "turned_away": 0, "people": 1}
    status = facecli("task", "status", task["task_id"], "--server", server.address)
    assert re.search(r"^  swapped 10 of 10 frames$", status.out, re.MULTILINE)


def test_a_picture_without_a_face_is_refused_before_a_task_exists(
    server: Server, portraits: tuple[Path, Path], tmp_path: Path
) -> None:
    picture = tmp_path / "wall.png"
    Image.new("RGB", (300, 300), "tan").save(picture)
    before = facecli("task", "list", "--all", "-q", "--server", server.address).lines
    ran = swap(server, picture, portraits[1], "-o", tmp_path / "out.mp4", "--json")
    assert (ran.code, ran.error["reason"]) == (2, "NO_FACE")
    assert "whole head" in ran.error["hint"]
    assert facecli("task", "list", "--all", "-q", "--server", server.address).lines == before


def test_a_picture_that_an_option_names_must_be_an_uploaded_picture_of_the_user(
    server: Server, portraits: tuple[Path, Path], tmp_path: Path
) -> None:
    clip = facecli("upload", portraits[1], "-q", "--server", server.address).out.strip()
    foreign = facecli("upload", portraits[0], "-q", "--server", server.address, "--user", "bob").out.strip()
    command = (*portraits, "-o", tmp_path / "out.mp4", "--json", "--option")
    for url, reason in (
        (foreign, "UPLOAD_NOT_FOUND"),
        (clip, "INVALID_INPUT"),
        ("her.png", "INVALID_INPUT"),
    ):
        refused = swap(server, *command, f"faces=like:{url}", "--progress", "none")
        assert (refused.error["reason"], refused.out) == (reason, ""), url


def test_a_video_without_a_face_fails_with_the_reason_unless_it_is_to_be_kept(
    server: Server, portraits: tuple[Path, Path], wall: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    failed = swap(server, portraits[0], wall, "-o", out, "--json")
    assert (failed.code, failed.error["reason"]) == (3, "TASK_UNSUCCESSFUL")
    assert "the video shows no face; small=on finds smaller ones; missing=keep" in failed.error["message"]
    kept = swap(server, portraits[0], wall, "-o", out, "--option", "missing=keep", "--json").object
    assert kept["figures"] == {"swapped": 0, "without_face": 5, "turned_away": 0, "people": 0}


def finished(server: Server) -> set[str]:
    """The names of the checkpoints of the task that runs."""
    return {path.name for path in server.work_files() if not path.parent.name.startswith("run-")}


def test_a_task_cancelled_and_retried_has_the_bytes_of_an_undisturbed_one(
    serve: Serve, paced: PacedFfmpeg, ffmpeg: Path, tmp_path: Path
) -> None:
    video = tmp_path / "slow.mp4"
    still = ("-loop", "1", "-framerate", "4", "-i", FILMED, "-frames:v", "40")
    moving = "scale=320:-2,crop=320:240:0:'min(n,20)'"
    subprocess.run([ffmpeg, "-v", "error", *still, "-vf", moving, "-pix_fmt", "yuv420p", video], check=True)
    paced.speed_up()
    server = serve(environment={"FACECLI_SEGMENT_MEGAPIXELS": "5", **paced.environment})  # two segments
    tasks = []
    for name in ("undisturbed.mp4", "retried.mp4"):
        tasks.append(create(server, PHOTO, video, "--engine", "mesh"))
        if name == "retried.mp4":
            eventually(lambda: "000000.mp4" in finished(server))
            assert server.cancel(tasks[-1]) == "cancelled"
            paced.speed_up()
            server.wait_for_log(f"run stopped task={tasks[-1]}")
            assert "000000.mp4" in finished(server)
            assert "000001.mp4" not in finished(server)
            run("task", "retry", tasks[-1], "--server", server.address)
        ended = watch_to_end(server, tasks[-1])
        assert ended["status"] == "completed"
        assert ended["figures"]["swapped"] == 40
        invoke("task", "download", tasks[-1], "-o", tmp_path / name, "--server", server.address)
        paced.slow_down_after_first_segment()
    first, second = ((tmp_path / name).read_bytes() for name in ("undisturbed.mp4", "retried.mp4"))
    assert first == second
