"""The search for ffmpeg: configured, on PATH, in the imageio-ffmpeg package; else an error with the cure."""

from pathlib import Path

import pytest

from facecli.core.errors import FfmpegMissing
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import ffmpeg_version, find_ffmpeg


def program(path: Path, output: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


def test_a_configured_ffmpeg_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "ffmpeg", "").parent))
    wanted = program(tmp_path / "mine", "")
    assert find_ffmpeg(str(wanted)) == wanted


def test_path_comes_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg = program(tmp_path / "bin" / "ffmpeg", "")
    monkeypatch.setenv("PATH", str(ffmpeg.parent))
    assert find_ffmpeg() == ffmpeg


def test_the_package_comes_third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "imageio_ffmpeg" in str(find_ffmpeg())


@pytest.mark.parametrize("wanted", ["no-such-ffmpeg", "/no/such/ffmpeg", "/etc/passwd", "/"])
def test_a_configured_ffmpeg_that_is_no_program_is_named(wanted: str) -> None:
    with pytest.raises(FfmpegMissing, match=wanted) as missing:
        find_ffmpeg(wanted)
    assert "apt-get install ffmpeg" in missing.value.hint
    assert "pip install" in missing.value.hint


@pytest.mark.parametrize(
    "output", ["ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", "ffmpeg version n5.0", "hello"]
)
def test_an_old_version_or_another_program_is_refused(tmp_path: Path, output: str) -> None:
    with pytest.raises(FfmpegMissing):
        FfmpegMedia(wanted=str(program(tmp_path / "ffmpeg", output))).version()


@pytest.mark.parametrize("version", ["5.1.9-0+deb12u1", "n9.0.2-17-g2a571b6068", "N-117000-g1234567"])
def test_the_version_is_reported(tmp_path: Path, version: str) -> None:
    ffmpeg = program(tmp_path / "ffmpeg", f"ffmpeg version {version} Copyright (c)")
    assert ffmpeg_version(ffmpeg) == version
    assert FfmpegMedia(wanted=str(ffmpeg)).version() == f"{version} ({ffmpeg})"


def test_the_search_waits_until_ffmpeg_is_needed() -> None:
    FfmpegMedia(wanted="/no/such/ffmpeg")
