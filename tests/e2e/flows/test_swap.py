"""`facecli swap`: the whole flow in one command, also after its client was killed."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from facecli.engines.mock_path import face_placement
from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, PacedFfmpeg
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.server import Server

WIDTH, HEIGHT, SECONDS, RATE = 640, 360, 4, 25


@pytest.fixture(scope="module")
def sharp_clip(media: FfmpegMedia, samples: Path) -> Path:
    media.make_clip(samples / "sharp.mp4", seconds=SECONDS, width=WIDTH, height=HEIGHT)
    return samples / "sharp.mp4"


def test_a_swap_preserves_frames_duration_and_sound_and_overlays_the_face(
    server: Server, user: str, face: Path, sharp_clip: Path, tmp_path: Path, ffmpeg: Path, media: FfmpegMedia
) -> None:
    out = tmp_path / "out.mp4"
    done = run("swap", face, sharp_clip, "-o", out, "--server", server.address, "--user", user, "--json")
    assert done.object["status"] == "completed"
    assert done.object["path"] == str(out)
    source, result = media.probe_video(sharp_clip), media.probe_video(out)
    assert (
        (result.frames, result.width, result.height)
        == (source.frames, source.width, source.height)
        == (SECONDS * RATE, WIDTH, HEIGHT)
    )
    assert abs(result.duration - source.duration) <= 1 / RATE
    assert result.sound == "aac"
    assert sound(ffmpeg, out) == sound(ffmpeg, sharp_clip)
    path = face_placement(source, face=face, video=sharp_clip, seed=0)
    picture = Image.open(face).convert("RGB").resize((path.width, path.height))
    for number in (0, source.frames // 2, source.frames - 1):
        before, after = frame(ffmpeg, sharp_clip, number), frame(ffmpeg, out, number)
        box = path.at(number / RATE)
        area = (box.x, box.y, box.x + box.width, box.y + box.height)
        assert difference(after.crop(area), picture) < 15 < difference(before.crop(area), picture)
        for around in ((0, 0, box.x, HEIGHT), (area[2], 0, WIDTH, HEIGHT)):
            assert difference(after.crop(around), before.crop(around)) < 5


def test_a_swap_killed_while_it_uploads_resumes_when_run_again(
    server: Server, user: str, face: Path, big_clip: Path, media: FfmpegMedia, tmp_path: Path
) -> None:
    size, out = big_clip.stat().st_size, tmp_path / "out.mp4"
    command = ("swap", face, big_clip, "-o", out, "--user", user, "--chunk-size", MIB, "--json")
    with (
        holding_proxy(server.address, after=size // 2) as proxy,
        CommandProcess(*command, "--server", proxy.address, "--progress", "json") as swap,
    ):
        swap.wait_for_event(lambda event: event.get("name") == big_clip.name and event["stored"] >= size // 4)
        swap.kill()
    again = run(*command, "--server", server.address, "--progress", "json")
    begun = next(event for event in again.events if event.get("name") == big_clip.name)
    assert begun["stored"] >= size // 4
    assert again.object["status"] == "completed"
    assert media.probe_video(out).frames == media.probe_video(big_clip).frames
    assert len(run("task", "list", "--server", server.address, "--user", user, "-q").out.split()) == 1


def test_a_swap_killed_while_it_waits_resumes_the_same_task_when_run_again(
    serve: Serve, user: str, face: Path, long_clip: Path, tmp_path: Path, paced: PacedFfmpeg
) -> None:
    server = serve(environment=paced.environment)
    out = tmp_path / "out.mp4"
    command = ("swap", face, long_clip, "-o", out, "--server", server.address, "--user", user, "--json")
    with CommandProcess(*command, "--progress", "json") as swap:
        task_id = swap.wait_until_swapping()["task_id"]
        swap.kill()
    with CommandProcess(*command, "--progress", "json") as again:
        assert again.wait_until_swapping()["task_id"] == task_id
        # The running attempt takes as long as the video; the next one does not.
        paced.speed_up()
        server.kill_worker()
        done = again.wait()
    assert (done.object["task_id"], done.object["status"]) == (task_id, "completed")
    assert out.stat().st_size == done.object["result_size"]
    assert len(run("task", "list", "--server", server.address, "--user", user, "-q").out.split()) == 1


def test_a_repeated_swap_sends_and_computes_nothing(
    server: Server, user: str, face: Path, clip: Path, tmp_path: Path
) -> None:
    command = ("swap", face, clip, "--server", server.address, "--user", user, "--json")
    first = run(*command, "-o", tmp_path / "one.mp4").object
    second = run(*command, "-o", tmp_path / "two.mp4").object
    assert {**first, "path": ""} == {**second, "path": ""}
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def sound(ffmpeg: Path, path: Path) -> bytes:
    """The checksum of every packet of the sound."""
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
    """The mean difference of all pixels and colours, from 0 to 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)
