"""`facecli preview`, and the contact sheet of a task: frames before and after in one picture."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from facecli.media.sample_face import SKIN
from facecli.media.sheet.canvas import MARGIN, TEXT_HEIGHT
from tests.support.cli import Server, facecli
from tests.unit.cli.conftest import Samples

WIDTH, HEIGHT = 160, 90  # pixels of the sample clip
MOCK = ("--engine", "mock")


def rows_of(sheet: Image.Image) -> list[tuple[Image.Image, Image.Image]]:
    """The frames of a sheet before and after, row by row."""
    assert sheet.format == "JPEG"
    assert sheet.width == 2 * WIDTH + 3 * MARGIN
    rows = (sheet.height - 2 * MARGIN) // (TEXT_HEIGHT + HEIGHT)
    tops = [MARGIN + row * (TEXT_HEIGHT + HEIGHT) + TEXT_HEIGHT for row in range(rows)]
    left, right = MARGIN, 2 * MARGIN + WIDTH
    return [tuple(sheet.crop((x, y, x + WIDTH, y + HEIGHT)) for x in (left, right)) for y in tops]  # type: ignore[misc]


def has_face(frame: Image.Image) -> bool:
    """Whether the drawn face, whose skin has a colour of its own, is on a frame."""
    data = frame.convert("RGB").tobytes()
    colours = zip(data[::3], data[1::3], data[2::3], strict=True)
    near = [sum(abs(a - b) for a, b in zip(colour, SKIN, strict=True)) < 60 for colour in colours]
    return sum(near) > 50


@pytest.mark.usefixtures("user")
def test_a_preview_shows_frames_before_and_after_and_leaves_nothing(
    server: Server, samples: Samples, tmp_path: Path
) -> None:
    out = tmp_path / "sheet.jpg"
    preview = ("preview", samples.face, samples.clip, *MOCK)
    made = facecli(*preview, "-o", out, "--json").object
    assert made == {"size": out.stat().st_size, "engine": "mock", "engine_version": "2", "path": str(out)}
    rows = rows_of(Image.open(out))
    assert [(has_face(before), has_face(after)) for before, after in rows] == [(False, True)] * 4
    again = facecli(*preview, "-o", out)
    assert (again.code, "--force replaces it" in again.err) == (2, True)
    image, video = (facecli("upload", path, "-q").lines[0] for path in (samples.face, samples.clip))
    chosen = ("preview", image, video, *MOCK, "--at", "40ms", "--at", "0.5s", "-o", out, "--force", "-q")
    assert facecli(*chosen).lines == [str(out)]
    assert len(rows_of(Image.open(out))) == 2
    assert facecli("task", "list").out == ""
    assert list((server.data / "work").glob("*")) == []


def test_a_preview_goes_to_standard_output(server: Server, samples: Samples) -> None:
    files = map(str, (samples.face, samples.clip))
    words = [sys.executable, "-m", "facecli", "preview", *files, *MOCK, "--at", "0s"]
    options = ["-o", "-", "--server", server.address, "--user", "pipe"]
    done = subprocess.run([*words, *options], capture_output=True, check=True)
    assert len(rows_of(Image.open(io.BytesIO(done.stdout)))) == 1


@pytest.mark.usefixtures("user")
def test_a_preview_that_cannot_be_made_is_refused(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = ("preview", samples.face, samples.clip, *MOCK, "-o", tmp_path / "sheet.jpg", "--json")
    for options, code, sentence in (
        (("--at", "5s"), 2, "5 s is not in the video, which ends at 1 s"),
        (("--at", "0s") * 9, 2, "a preview has at most 8 frames, not 9"),
        (("--option", "speed=1"), 2, "engine mock has no option 'speed'"),
        (("--option", "fail_at=0"), 1, "engine mock failed: the mock engine failed at frame"),
    ):
        ran = facecli(*preview, *options)
        assert (ran.code, ran.out) == (code, "")
        assert ran.error["message"].startswith(sentence)
    video = facecli("upload", samples.clip, "-q").lines[0]
    monkeypatch.setenv("FACECLI_USER", "mallory")
    assert facecli("preview", samples.face, video, *MOCK, "-o", tmp_path / "sheet.jpg").code == 5
    assert list(tmp_path.iterdir()) == []


def test_a_completed_task_has_a_contact_sheet_to_download(completed: str, tmp_path: Path) -> None:
    out = tmp_path / "sheet.jpg"
    task = facecli("task", "status", completed, "--json").object
    assert task["preview_url"] == task["result_url"].replace(".mp4", ".jpg")
    done = facecli("task", "download", completed, "--sheet", "-o", out, "--json").object
    assert done == {"task_id": completed, "size": out.stat().st_size, "path": str(out)}
    rows = rows_of(Image.open(out))
    assert [(has_face(before), has_face(after)) for before, after in rows] == [(False, True)] * 4
    again = facecli("task", "download", completed, "--sheet", "-o", out)
    assert (again.code, f"{out} is the contact sheet already" in again.err) == (0, True)


def test_a_task_without_a_result_has_no_contact_sheet(slow: str, tmp_path: Path) -> None:
    ran = facecli("task", "download", slow, "--sheet", "-o", tmp_path / "sheet.jpg", "--json")
    assert (ran.code, ran.error["reason"]) == (1, "RESULT_MISSING")
