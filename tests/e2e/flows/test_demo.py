"""`facecli demo`, the first command of a new user."""

import re
from pathlib import Path

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cli import TASK
from tests.support.e2e.process import run


def test_the_demo_prints_the_path_of_a_playable_result(tmp_path: Path, media: FfmpegMedia) -> None:
    done = run("demo", environment={"TMPDIR": str(tmp_path), "FACECLI_ENGINE": "mesh"})
    assert ", with engine mesh" in done.err
    assert done.out.startswith("result: ")
    result = Path(done.out.removeprefix("result: ").strip())
    info = media.probe_video(result)
    assert (info.frames, info.width, info.height, info.sound) == (75, 960, 540, "aac")
    assert "checked: 75 frames" in done.err
    assert re.search(r"resembles face\.jpg: distance 0\.[34]\d .*, 0\.[67]\d in the clip", done.err)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [result]


def test_the_demo_keeps_everything_in_a_directory(tmp_path: Path, media: FfmpegMedia) -> None:
    folder = tmp_path / "kept"
    done = run("demo", "--keep", folder, "--json")
    assert set(done.object) == TASK | {"path"}
    assert done.object["path"] == str(folder / "result.mp4")
    assert (folder / "result.mp4").stat().st_size == done.object["result_size"]
    assert {path.name for path in folder.iterdir()} == {"face.jpg", "clip.mp4", "result.mp4", "server"}
    assert media.probe_video(folder / "result.mp4").frames == media.probe_video(folder / "clip.mp4").frames


def test_a_path_that_is_not_a_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.touch()
    for path in (file, file / "inside"):
        error = run("demo", "--keep", path, "--json", expect=2).error
        assert (error["reason"], str(path) in error["message"]) == ("INVALID_INPUT", True)
