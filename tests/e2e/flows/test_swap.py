"""The whole flow in one command, and after a kill in its middle."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from facecli.engines.mock_path import face_placement
from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.support.e2e.fault_proxy import held
from tests.support.e2e.files import MIB, PacedFfmpeg
from tests.support.e2e.process import Running, run
from tests.support.e2e.server import Server

WIDTH, HEIGHT, SECONDS, RATE = 1280, 720, 10, 25


@pytest.fixture(scope="module")
def hd_clip(media: FfmpegMedia, samples: Path) -> Path:
    media.make_clip(samples / "hd.mp4", seconds=SECONDS, width=WIDTH, height=HEIGHT)
    return samples / "hd.mp4"


def test_a_swap_keeps_frames_length_and_sound_and_puts_the_face_on_the_first_middle_and_last_frame(
    server: Server, user: str, face: Path, hd_clip: Path, tmp_path: Path, ffmpeg: Path, media: FfmpegMedia
) -> None:
    out = tmp_path / "out.mp4"
    done = run("swap", face, hd_clip, "-o", out, "--server", server.address, "--user", user, "--json")
    assert done.object["status"] == "completed"
    assert done.object["path"] == str(out)
    was, now = media.probe_video(hd_clip), media.probe_video(out)
    assert (now.frames, now.width, now.height) == (was.frames, WIDTH, HEIGHT) == (SECONDS * RATE, 1280, 720)
    assert abs(now.duration - was.duration) <= 1 / RATE
    assert now.sound == "aac"
    assert sound(ffmpeg, out) == sound(ffmpeg, hd_clip)
    path = face_placement(was, face=face, video=hd_clip, seed=0)
    picture = Image.open(face).convert("RGB").resize((path.width, path.height))
    for number in (0, was.frames // 2, was.frames - 1):
        before, after = frame(ffmpeg, hd_clip, number), frame(ffmpeg, out, number)
        box = path.at(number / RATE)
        place = (box.x, box.y, box.x + box.width, box.y + box.height)
        assert difference(after.crop(place), picture) < 15 < difference(before.crop(place), picture)
        for around in ((0, 0, box.x, HEIGHT), (place[2], 0, WIDTH, HEIGHT)):
            assert difference(after.crop(around), before.crop(around)) < 5


def test_a_swap_whose_client_is_killed_while_it_uploads_goes_on_when_run_again(
    server: Server, user: str, face: Path, big_clip: Path, media: FfmpegMedia, tmp_path: Path
) -> None:
    size, out = big_clip.stat().st_size, tmp_path / "out.mp4"
    command = ("swap", face, big_clip, "-o", out, "--user", user, "--chunk-size", MIB, "--json")
    with (
        held(server.address, after=size // 2) as line,
        Running(*command, "--server", line.address, "--progress", "json") as swap,
    ):
        swap.event(lambda said: said.get("name") == big_clip.name and said["stored"] >= size // 4)
        swap.kill()
    again = run(*command, "--server", server.address, "--progress", "json")
    begun = next(said for said in again.events if said.get("name") == big_clip.name)
    assert begun["stored"] >= size // 4
    assert again.object["status"] == "completed"
    assert media.probe_video(out).frames == media.probe_video(big_clip).frames
    assert len(run("task", "list", "--server", server.address, "--user", user, "-q").out.split()) == 1


def test_a_swap_whose_client_is_killed_while_it_waits_goes_on_with_the_same_task_when_run_again(
    serve: Serve, user: str, face: Path, long_clip: Path, tmp_path: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    out = tmp_path / "out.mp4"
    command = ("swap", face, long_clip, "-o", out, "--server", server.address, "--user", user, "--json")
    with Running(*command, "--progress", "json") as swap:
        task_id = swap.swapping()["task_id"]
        swap.kill()
    with Running(*command, "--progress", "json") as again:
        assert again.swapping()["task_id"] == task_id
        # Or it would take as long as the video: the next attempt does not.
        paced.hurry()
        server.kill_worker()
        done = again.done()
    assert (done.object["task_id"], done.object["status"]) == (task_id, "completed")
    assert out.stat().st_size == done.object["result_size"]
    assert len(run("task", "list", "--server", server.address, "--user", user, "-q").out.split()) == 1


def test_a_swap_that_had_completed_sends_and_computes_nothing_again(
    server: Server, user: str, face: Path, clip: Path, tmp_path: Path
) -> None:
    command = ("swap", face, clip, "--server", server.address, "--user", user, "--json")
    first = run(*command, "-o", tmp_path / "one.mp4").object
    second = run(*command, "-o", tmp_path / "two.mp4").object
    assert {**first, "path": ""} == {**second, "path": ""}
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def sound(ffmpeg: Path, path: Path) -> bytes:
    """Every packet of the sound, with its checksum."""
    tracks = ("-map", "0:a", "-c", "copy", "-f", "framehash")
    packets = decoded([ffmpeg, "-v", "error", "-i", path, *tracks, "-"])
    assert packets.count(b"\n") > SECONDS * 40
    return b"\n".join(line.rsplit(b",", 1)[-1] for line in packets.splitlines())


def frame(ffmpeg: Path, path: Path, number: int) -> Image.Image:
    only = ("-vf", f"select=eq(n\\,{number})", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24")
    raw = decoded([ffmpeg, "-v", "error", "-i", path, *only, "-"])
    return Image.frombytes("RGB", (WIDTH, HEIGHT), raw)


def decoded(command: Sequence[str | Path]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of all pixels and colours, 0 to 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)
