"""`facecli demo`: the first thing that anybody runs."""

from pathlib import Path

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.process import run


def test_the_demo_prints_where_a_playable_result_lies(tmp_path: Path, media: FfmpegMedia) -> None:
    done = run("demo", environment={"TMPDIR": str(tmp_path)})
    assert done.out.startswith("result: ")
    result = Path(done.out.removeprefix("result: ").strip())
    info = media.probe_video(result)
    assert (info.frames, info.width, info.height, info.sound) == (125, 1280, 720, "aac")
    assert "checked: 125 frames" in done.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [result]


def test_the_demo_keeps_everything_in_a_directory(tmp_path: Path, media: FfmpegMedia) -> None:
    kept = tmp_path / "kept"
    done = run("demo", "--keep", kept, "--json")
    assert done.object["path"] == str(kept / "result.mp4")
    assert {path.name for path in kept.iterdir()} == {"face.png", "clip.mp4", "result.mp4", "server"}
    assert media.probe_video(kept / "result.mp4").frames == media.probe_video(kept / "clip.mp4").frames


def test_a_file_is_no_directory_to_keep_everything_in(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.touch()
    for path in (file, file / "inside"):
        said = run("demo", "--keep", path, "--json", expect=2).error
        assert (said["reason"], str(path) in said["message"]) == ("INVALID_INPUT", True)
