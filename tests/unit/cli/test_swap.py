"""`facecli swap`: the whole flow in one command."""

import shutil
from pathlib import Path

import pytest

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cli import TASK, facecli
from tests.support.media.ffmpegs import ffmpeg
from tests.unit.cli.conftest import Samples


@pytest.mark.usefixtures("user")
def test_swap_writes_the_result_and_prints_its_path(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    swap = ("swap", samples.face, samples.clip, "-o", out)
    first = facecli(*swap, "--json")
    assert set(first.object) == TASK | {"path"}
    assert (first.object["status"], first.object["path"]) == ("completed", str(out))
    assert out.stat().st_size == first.object["result_size"]
    assert facecli(*swap).out == f"{out}\n"
    quiet = facecli(*swap, "-q")
    assert (quiet.out, quiet.err) == (f"{out}\n", "")
    assert facecli(*swap, "--json").object["task_id"] == first.object["task_id"]


@pytest.mark.usefixtures("user")
def test_swap_of_a_part_is_a_task_of_its_own_and_is_retried_as_that_part(
    samples: Samples, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    swap = ("swap", samples.face, samples.clip, "-o", out, "--from", "200ms", "--to", "0.6s")
    failed = facecli(*swap, "--option", "fail_at=0.3", "--json")
    assert (failed.code, "fail_at=0.3" in failed.error["message"]) == (3, True)
    task = facecli(*swap, "--json").object
    assert (task["from"], task["to"], task["frames"], task["frames_done"]) == (0.2, 0.6, 10, 10)
    assert FfmpegMedia().probe_video(out).frames == 10
    assert "is the result already" in facecli(*swap).err
    other = facecli(*swap[:-1], "0.5s", "--json")
    assert (other.code, "exists" in other.error["message"]) == (2, True)
    rows = facecli("task", "status", task["task_id"]).out
    assert "face.png + clip.mp4 from 0.2 s to 0.6 s" in rows
    (retried,) = [each for each in facecli("task", "list", "--json").objects if each["status"] == "failed"]
    assert facecli("task", "retry", retried["task_id"], "--json").object["from"] == 0.2


@pytest.mark.usefixtures("user")
def test_a_part_between_two_frames_fails_with_the_reason(samples: Samples, tmp_path: Path) -> None:
    swap = ("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4")
    ran = facecli(*swap, "--from", "985ms", "--to", "995ms", "--json")
    assert (ran.code, ran.out) == (3, "")
    assert "no frame of the video begins from 0.985 s to 0.995 s; take a longer part" in ran.error["message"]


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("command", ["swap", "create"])
def test_a_part_that_the_video_does_not_have_is_refused(
    samples: Samples, tmp_path: Path, command: str
) -> None:
    words: tuple[str | Path, ...] = ("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4")
    if command == "create":
        words = ("task", "create", "--image", samples.face, "--video", samples.clip)
    for options, sentence in {
        ("--from", "1m", "--to", "2s"): "the part of the video from 60 s to 2 s is empty",
        ("--from", "1m2s"): "62 s is not in the video, which ends at 1 s",
        ("--to", "5s"): "the part of the video ends at 5 s, but the video at 1 s; leave the end out",
    }.items():
        ran = facecli(*words, *options, "--json")
        assert (ran.code, ran.out) == (2, "")
        assert ran.error["message"].startswith(sentence)


@pytest.mark.usefixtures("user")
def test_sound_that_is_left_out_is_noted_by_every_command(samples: Samples, tmp_path: Path) -> None:
    video, out = tmp_path / "phone.mov", tmp_path / "out.mp4"
    sound = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg(
        "-i", samples.clip, *sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le", video
    )
    video.write_bytes(video.read_bytes().replace(b"sowt", b"apac"))
    swapped = facecli("swap", samples.face, video, "-o", out)
    note = next(line for line in swapped.err.splitlines() if line.startswith("note: "))
    assert note.startswith("note: sound track 1 (")
    assert "is left out: " in note
    (task,) = facecli("task", "list", "--json").objects
    assert [f"note: {text}" for text in task["notes"]] == [note]
    assert f"  {note}" in facecli("task", "status", task["task_id"]).lines


@pytest.mark.usefixtures("user")
def test_swap_reports_the_reason_of_a_failed_task(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    ran = facecli("swap", samples.face, samples.clip, "-o", out, "--json", "--option", "fail_at=0.5")
    assert (ran.code, ran.out) == (3, "")
    assert "fail_at=0.5" in ran.error["message"]
    assert not out.exists()


@pytest.mark.usefixtures("user")
def test_swap_rejects_an_unusable_output_before_uploading(samples: Samples, tmp_path: Path) -> None:
    face, clip = (shutil.copy(path, tmp_path) for path in (samples.face, samples.clip))
    for out, expected in {
        tmp_path / "none" / "out.mp4": "create it first",
        tmp_path: "would be overwritten",
        clip: "would be overwritten",
    }.items():
        ran = facecli("swap", face, clip, "-o", out, "--json")
        assert (ran.code, ran.out) == (2, "")
        assert expected in ran.error["message"]
    assert facecli("task", "list").out == ""


@pytest.mark.usefixtures("user")
def test_unusable_inputs_are_named_before_anything_is_sent(samples: Samples, tmp_path: Path) -> None:
    gif, page = tmp_path / "face.gif", tmp_path / "page.mp4"
    gif.write_bytes(b"GIF89a" + bytes(100))
    page.write_text("<html>\nnot found</html>")
    renamed = shutil.copy(samples.face, tmp_path / "face.webp")
    face, clip, gone = samples.face, samples.clip, tmp_path / "gone.mp4"
    for image, video, expected in (
        (clip, face, f"{clip} is a video and {face} a picture; name the picture first"),
        (face, face, f"{face} is a picture, not a video: it is in PNG format"),
        (face, gone, f"cannot read {gone}: No such file or directory"),
        (face, tmp_path, f"{tmp_path} is a directory; pass the files in it"),
        (gif, clip, f"{gif} is in GIF format; convert it to JPEG, PNG or WebP"),
        (face, page, f"{page} is neither a picture nor a video: it is in text format"),
        (renamed, clip, "face.webp has the wrong extension: it is in PNG format"),
    ):
        for command in (
            ("swap", image, video, "-o", tmp_path / "out.mp4"),
            ("task", "create", "--image", image, "--video", video),
        ):
            ran = facecli(*command, "--json")
            assert (ran.code, ran.out) == (2, ""), command
            assert expected.replace("name the picture first", "") in ran.error["message"], command
    assert facecli("file", "list").out == ""
